import { drawBytes } from '../draws.ts';
import { HMAC_ANSWERS } from '../known-answers.ts';
import { defineOperation } from '../operation.ts';
import { owned } from '../webcrypto-keys.ts';

export default defineOperation<{ readonly key: Uint8Array; readonly data: Uint8Array }>({
  name: 'hmac-sha256',
  title: 'HMAC-SHA256 with a key of 32 bytes',
  primitive: 'hmac-sha256',
  length: { of: 'data' },
  known: HMAC_ANSWERS,
  draw: (random, bytes) => ({ key: drawBytes(random, 32), data: drawBytes(random, bytes) }),
  outputBytes: () => 32,
  bind(provider, { key, data }, out) {
    return () => {
      provider.hmacSha256(out, key, data);
      return out;
    };
  },
  webCrypto: {
    awaited: true,
    async bind({ subtle }, { key, data }) {
      const algorithm = { name: 'HMAC', hash: 'SHA-256' };
      const imported = await subtle.importKey('raw', owned(key), algorithm, false, ['sign']);
      const message = owned(data);
      return async () => new Uint8Array(await subtle.sign('HMAC', imported, message));
    },
  },
});
