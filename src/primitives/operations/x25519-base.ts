import { COSTLY_INPUTS_MAX, drawBytes } from '../draws.ts';
import { X25519_BASE_ANSWERS } from '../known-answers.ts';
import { defineOperation } from '../operation.ts';
import { importX25519 } from '../webcrypto-keys.ts';

export default defineOperation<{ readonly secret: Uint8Array }>({
  name: 'x25519-base',
  title: 'X25519 public key of a private key given as bytes',
  primitive: 'x25519',
  length: { of: 'public key', fixedBytes: 32 },
  known: X25519_BASE_ANSWERS,
  inputsMax: COSTLY_INPUTS_MAX,
  draw: (random) => ({ secret: drawBytes(random, 32) }),
  outputBytes: () => 32,
  bind(provider, { secret }, out) {
    return () => {
      provider.x25519Public(out, secret);
      return out;
    };
  },
  webCrypto: {
    awaited: true,
    async bind(crypto, { secret }) {
      const { subtle } = crypto;
      return async () => {
        const publicKey = await subtle.getPublicKey(await importX25519(crypto, secret), []);
        return new Uint8Array(await subtle.exportKey('raw', publicKey));
      };
    },
  },
});
