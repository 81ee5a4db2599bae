import { putUint32, utf8 } from '../core/bytes.ts';
import type { Provider } from '../crypto/provider.ts';
import type { Randomness } from '../crypto/randomness.ts';

const LABEL = utf8('sealbench derived randomness');

/**
 * A stream of bytes that whoever has the 32-byte seed can draw again: HKDF over the seed, with the
 * number of the draw as info. For keys that one party makes and another process must have.
 */
export function derivedRandomness(provider: Provider, seed: Uint8Array): Randomness {
  const key = seed.slice();
  const number = new Uint8Array(4);
  let draws = 0;
  return {
    seeded: false,
    fill(out) {
      putUint32(number, 0, draws);
      draws += 1;
      provider.hkdfSha256(out, LABEL, key, number);
    },
  };
}
