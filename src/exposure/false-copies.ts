/**
 * E1 with a modified client: what it sends to the ghost says something else than what it sends to its
 * peer.
 *
 * @module
 */

import type { Aead, AeadName, Provider } from '../crypto/provider.ts';
import type { Pipeline } from '../pipelines/_pipeline.ts';

export class FalseCopies {
  readonly pipeline: Pipeline;
  /** What copies are to say: repeated to the length of the text, from the place of the text. */
  #falseText: Uint8Array | undefined;
  /** Texts that the client has sealed since then. The first is for its peer. */
  #sealed = 0;

  constructor(honest: Pipeline) {
    this.pipeline = {
      ...honest,
      open: (setup) => honest.open({ ...setup, provider: this.#falsify(setup.provider) }),
    };
  }

  /** The next message, sealed by whatever client, has copies that say this; undefined: none has. */
  tell(falseText: Uint8Array | undefined): void {
    this.#falseText = falseText;
    this.#sealed = 0;
  }

  #falsify(provider: Provider): Provider {
    const falsified = Object.entries(provider.aead).map(([name, aead]): [string, Aead] => [
      name,
      {
        seal: (out, key, nonce, aad, text) => {
          this.#sealed += 1;
          const isCopy = this.#falseText !== undefined && this.#sealed > 1;
          aead.seal(
            out,
            key,
            nonce,
            aad,
            isCopy ? this.#falseText!.subarray(0, text.length) : text,
          );
        },
        open: aead.open.bind(aead),
      },
    ]);
    return { ...provider, aead: Object.fromEntries(falsified) as Record<AeadName, Aead> };
  }
}
