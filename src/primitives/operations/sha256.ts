import { drawBytes } from '../draws.ts';
import { SHA256_ANSWERS } from '../known-answers.ts';
import { defineOperation } from '../operation.ts';
import { owned } from '../webcrypto-keys.ts';

export default defineOperation<{ readonly message: Uint8Array }>({
  name: 'sha256',
  title: 'SHA-256 of one message',
  primitive: 'sha256',
  length: { of: 'message' },
  known: SHA256_ANSWERS,
  draw: (random, bytes) => ({ message: drawBytes(random, bytes) }),
  outputBytes: () => 32,
  bind(provider, { message }, out) {
    return () => {
      provider.sha256(out, message);
      return out;
    };
  },
  webCrypto: {
    awaited: true,
    async bind({ subtle }, { message }) {
      const data = owned(message);
      return async () => new Uint8Array(await subtle.digest('SHA-256', data));
    },
  },
});
