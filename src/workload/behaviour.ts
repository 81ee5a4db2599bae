/**
 * The contract of a behaviour: who speaks when in one session.
 *
 * @module
 */

import type { SeededRandom } from '../core/random.ts';

/** What a file in `src/workload/behaviours/` exports as default. */
export interface Behaviour {
  readonly name: string;
  readonly title: string;
  /** Name of each parameter with its bounds. */
  readonly parameters: Readonly<Record<string, { readonly min: number; readonly max: number }>>;
  /**
   * Writes who sends each message of one session: member 0 or 1 per message, member 0 first.
   *
   * @param speakers One byte per message, to be filled.
   */
  speak(
    speakers: Uint8Array,
    parameters: Readonly<Record<string, number>>,
    random: SeededRandom,
  ): void;
}
