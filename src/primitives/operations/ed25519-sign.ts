import { COSTLY_INPUTS_MAX, drawBytes } from '../draws.ts';
import { ED25519_ANSWERS } from '../known-answers.ts';
import { defineOperation } from '../operation.ts';
import { importEd25519, owned } from '../webcrypto-keys.ts';

export default defineOperation<{ readonly seed: Uint8Array; readonly message: Uint8Array }>({
  name: 'ed25519-sign',
  title: 'Ed25519 signature with a private key that was imported before',
  primitive: 'ed25519',
  length: { of: 'message' },
  known: ED25519_ANSWERS.map(({ source, seed, message, signature }) => ({
    source,
    inputs: { seed, message },
    output: signature,
  })),
  inputsMax: COSTLY_INPUTS_MAX,
  draw: (random, bytes) => ({ seed: drawBytes(random, 32), message: drawBytes(random, bytes) }),
  outputBytes: () => 64,
  bind(provider, { seed, message }, out) {
    const handle = provider.ed25519Handle(seed);
    return () => {
      provider.ed25519Sign(out, handle, message);
      return out;
    };
  },
  webCrypto: {
    awaited: true,
    async bind(crypto, { seed, message }) {
      const { subtle } = crypto;
      const key = await importEd25519(crypto, seed);
      const data = owned(message);
      return async () => new Uint8Array(await subtle.sign('Ed25519', key, data));
    },
  },
});
