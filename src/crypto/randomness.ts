/**
 * Where a pipeline's random bytes come from.
 *
 * @module
 */

import { SeededRandom } from '../core/random.ts';
import type { Provider } from './provider.ts';

export interface Randomness {
  readonly seeded: boolean;
  fill(out: Uint8Array): void;
}

/** The provider's own generator: what is timed. */
export function providerRandomness(provider: Provider): Randomness {
  return { seeded: false, fill: (out) => provider.randomBytes(out) };
}

/**
 * The same bytes for the same seed with every provider. Predictable: for verification, transcripts
 * and exposure only, and refused for timing.
 */
export function seededRandomness(...seed: readonly number[]): Randomness {
  const stream = new SeededRandom(...seed);
  return { seeded: true, fill: (out) => stream.fill(out) };
}
