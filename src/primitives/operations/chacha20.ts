import { drawBytes } from '../draws.ts';
import { CHACHA20_ANSWERS } from '../known-answers.ts';
import { defineOperation } from '../operation.ts';

interface StreamInputs {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly data: Uint8Array;
}

export default defineOperation<StreamInputs>({
  name: 'chacha20',
  title: 'ChaCha20 stream cipher alone, without a tag (RFC 8439 §2.4)',
  primitive: 'chacha20',
  length: { of: 'data' },
  known: CHACHA20_ANSWERS,
  draw: (random, bytes) => ({
    key: drawBytes(random, 32),
    nonce: drawBytes(random, 12),
    data: drawBytes(random, bytes),
  }),
  outputBytes: ({ data }) => data.length,
  bind(provider, { key, nonce, data }, out) {
    return () => {
      provider.chacha20(out, key, nonce, data);
      return out;
    };
  },
  webCrypto: { missing: 'it has no stream cipher without a tag but AES-CTR' },
});
