import { COSTLY_INPUTS_MAX, drawBytes, drawX25519Public } from '../draws.ts';
import { X25519_ANSWERS, type X25519Inputs } from '../known-answers.ts';
import { defineOperation } from '../operation.ts';
import { importX25519, importX25519Public } from '../webcrypto-keys.ts';

export default defineOperation<X25519Inputs>({
  name: 'x25519-handle',
  title: 'X25519 agreement with a private key that was imported before, as identity keys are',
  primitive: 'x25519',
  length: { of: 'shared secret', fixedBytes: 32 },
  known: X25519_ANSWERS,
  inputsMax: COSTLY_INPUTS_MAX,
  draw: (random) => ({ secret: drawBytes(random, 32), publicKey: drawX25519Public(random) }),
  outputBytes: () => 32,
  bind(provider, { secret, publicKey }, out) {
    const handle = provider.x25519Handle(secret);
    return () => {
      provider.x25519(out, handle, publicKey);
      return out;
    };
  },
  webCrypto: {
    awaited: true,
    async bind(crypto, { secret, publicKey }) {
      const { subtle } = crypto;
      const key = await importX25519(crypto, secret);
      const algorithm = { name: 'X25519', public: await importX25519Public(crypto, publicKey) };
      return async () => new Uint8Array(await subtle.deriveBits(algorithm, key, 256));
    },
  },
});
