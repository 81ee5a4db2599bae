/**
 * Which messages an open loop carries, and in which order: those of the script, as far as it goes.
 *
 * @module
 */

import type { Script } from '../workload/script.ts';

/** Columns of equal length. */
export interface Commands {
  readonly sessions: Uint32Array;
  /** Index in the session; beyond the script's length its speakers and sizes begin anew. */
  readonly messages: Uint32Array;
}

/** The first message of every session, which opens it at the other end. */
export function firstCommands({ sessions, order }: Script): Commands {
  return {
    sessions: order?.subarray(0, sessions) ?? new Uint32Array(sessions).map((_, at) => at),
    messages: new Uint32Array(sessions),
  };
}

/** How many messages a script has after the first ones. */
export function laterCount({ sessions, lengths }: Script): number {
  return lengths.length - sessions;
}

/** The messages after the first ones, in the order of the script, and then again in that order. */
export class LaterCommands {
  readonly #script: Script;
  /** Messages of each session so far. */
  readonly #sent: Uint32Array;
  #taken = 0;

  constructor(script: Script) {
    this.#script = script;
    this.#sent = new Uint32Array(script.sessions).fill(1);
  }

  /** The next `count`. */
  take(count: number): Commands {
    const { sessions: all, order } = this.#script;
    const round = order === undefined ? all : order.length - all;
    const sessions = new Uint32Array(count);
    const messages = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      const turn = this.#taken % round;
      const session = order === undefined ? turn : order[all + turn]!;
      sessions[i] = session;
      messages[i] = this.#sent[session]!;
      this.#sent[session]! += 1;
      this.#taken += 1;
    }
    return { sessions, messages };
  }
}
