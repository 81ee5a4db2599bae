import { drawBytes } from '../draws.ts';
import { HKDF_ANSWERS } from '../known-answers.ts';
import { defineOperation } from '../operation.ts';
import { owned } from '../webcrypto-keys.ts';

interface HkdfInputs {
  readonly salt: Uint8Array;
  readonly ikm: Uint8Array;
  readonly info: Uint8Array;
  readonly bytes: number;
}

export default defineOperation<HkdfInputs>({
  name: 'hkdf-sha256',
  title: 'HKDF-SHA256, extract and expand, from 32 bytes with a salt of 32 and an info of 16',
  primitive: 'hkdf-sha256',
  length: { of: 'output', bytesMax: 255 * 32 }, // RFC 5869 §2.3
  known: HKDF_ANSWERS,
  draw: (random, bytes) => ({
    salt: drawBytes(random, 32),
    ikm: drawBytes(random, 32),
    info: drawBytes(random, 16),
    bytes,
  }),
  outputBytes: ({ bytes }) => bytes,
  bind(provider, { salt, ikm, info }, out) {
    return () => {
      provider.hkdfSha256(out, salt, ikm, info);
      return out;
    };
  },
  webCrypto: {
    awaited: true,
    async bind({ subtle }, { salt, ikm, info, bytes }) {
      const key = await subtle.importKey('raw', owned(ikm), 'HKDF', false, ['deriveBits']);
      const algorithm = { name: 'HKDF', hash: 'SHA-256', salt: owned(salt), info: owned(info) };
      return async () => new Uint8Array(await subtle.deriveBits(algorithm, key, bytes * 8));
    },
  },
});
