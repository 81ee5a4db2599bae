import { COSTLY_INPUTS_MAX, drawBytes } from '../draws.ts';
import { ED25519_ANSWERS } from '../known-answers.ts';
import { defineOperation } from '../operation.ts';
import { importEd25519 } from '../webcrypto-keys.ts';

export default defineOperation<{ readonly seed: Uint8Array }>({
  name: 'ed25519-base',
  title: 'Ed25519 public key of a seed given as bytes',
  primitive: 'ed25519',
  length: { of: 'public key', fixedBytes: 32 },
  known: ED25519_ANSWERS.map(({ source, seed, publicKey }) => ({
    source,
    inputs: { seed },
    output: publicKey,
  })),
  inputsMax: COSTLY_INPUTS_MAX,
  draw: (random) => ({ seed: drawBytes(random, 32) }),
  outputBytes: () => 32,
  bind(provider, { seed }, out) {
    return () => {
      provider.ed25519Public(out, seed);
      return out;
    };
  },
  webCrypto: {
    awaited: true,
    async bind(crypto, { seed }) {
      const { subtle } = crypto;
      return async () => {
        const publicKey = await subtle.getPublicKey(await importEd25519(crypto, seed), ['verify']);
        return new Uint8Array(await subtle.exportKey('raw', publicKey));
      };
    },
  },
});
