import { defineOperation } from '../operation.ts';
import { unshared } from '../webcrypto-keys.ts';

/** The most that `getRandomValues` gives at once (Web Cryptography API §10.1.1). */
const BYTES_MAX = 65_536;

export default defineOperation<{ readonly bytes: number }>({
  name: 'random',
  title: 'cryptographically secure random bytes',
  primitive: 'random',
  length: { of: 'bytes drawn', bytesMax: BYTES_MAX },
  known: [],
  draw: (_, bytes) => ({ bytes }),
  outputBytes: ({ bytes }) => bytes,
  bind(provider, _, out) {
    return () => {
      provider.randomBytes(out);
      return out;
    };
  },
  webCrypto: {
    awaited: false,
    bind(crypto, _, out) {
      const own = unshared(out);
      return () => crypto.getRandomValues(own);
    },
  },
  randomised: {
    is: () => true,
    /** Nothing can be said of true randomness but that it is not one value all over. */
    confirm: (_, { bytes }, output) => bytes < 16 || output.some((byte) => byte !== output[0]),
  },
});
