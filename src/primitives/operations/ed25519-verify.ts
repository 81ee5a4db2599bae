import { COSTLY_INPUTS_MAX, drawBytes } from '../draws.ts';
import { ED25519_ANSWERS } from '../known-answers.ts';
import { defineOperation } from '../operation.ts';
import { importEd25519, owned } from '../webcrypto-keys.ts';

interface VerifyInputs {
  readonly seed: Uint8Array;
  readonly message: Uint8Array;
  /** Made while binding, where it is left out. */
  readonly signature?: Uint8Array;
}

/**
 * Of a boolean a byte that differs from input to input: the seed's first, inverted where the
 * signature was refused. The published answers hold a forged one, which must be.
 */
function verdict(seed: Uint8Array, valid: boolean): number {
  return valid ? seed[0]! : ~seed[0]!;
}

export default defineOperation<VerifyInputs>({
  name: 'ed25519-verify',
  title: 'Ed25519 verification of a valid signature, the public key as bytes',
  primitive: 'ed25519',
  length: { of: 'message' },
  known: ED25519_ANSWERS.flatMap(({ source, seed, message, signature }) => {
    const forged = signature.with(0, signature[0]! ^ 1);
    const inputs = { seed, message };
    return [
      {
        source,
        inputs: { ...inputs, signature },
        output: Uint8Array.of(verdict(seed, true)),
      },
      {
        source: `${source}, one bit changed`,
        inputs: { ...inputs, signature: forged },
        output: Uint8Array.of(verdict(seed, false)),
      },
    ];
  }),
  inputsMax: COSTLY_INPUTS_MAX,
  draw: (random, bytes) => ({ seed: drawBytes(random, 32), message: drawBytes(random, bytes) }),
  outputBytes: () => 1,
  bind(provider, { seed, message, signature: given }, out) {
    const publicKey = new Uint8Array(32);
    provider.ed25519Public(publicKey, seed);
    const signature = given ?? new Uint8Array(64);
    if (given === undefined) {
      provider.ed25519Sign(signature, provider.ed25519Handle(seed), message);
    }
    return () => {
      out[0] = verdict(seed, provider.ed25519Verify(signature, publicKey, message));
      return out;
    };
  },
  webCrypto: {
    awaited: true,
    async bind(crypto, { seed, message, signature: given }) {
      const { subtle } = crypto;
      const key = await importEd25519(crypto, seed);
      const publicKey = await subtle.getPublicKey(key, ['verify']);
      const data = owned(message);
      const signature = owned(given ?? new Uint8Array(await subtle.sign('Ed25519', key, data)));
      const out = new Uint8Array(1);
      return async () => {
        const valid = await subtle.verify('Ed25519', publicKey, signature, data);
        out[0] = verdict(seed, valid);
        return out;
      };
    },
  },
});
