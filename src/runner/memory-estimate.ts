/**
 * Whether the sessions of a plan fit into this machine's memory: asked before work starts.
 *
 * @module
 */

import { badInput } from '../core/errors.ts';

/** What the script keeps of a message: speaker 1, length 4, fate 1, delay 2. */
const MESSAGE_BYTES = 8;
/**
 * A session with both its ends, its share of its users' keys and what the engine keeps of it. A
 * Double Ratchet retains about 420 bytes of it (`sealbench target retained`); the rest is room for
 * users, handles and the upper rungs.
 */
const SESSION_BYTES = 1536;
/** Node, libraries and buffers of each thread. */
const THREAD_BYTES = 200 * 2 ** 20;
/** The rest is the system's. */
const USABLE_SHARE = 0.8;

interface Sized {
  readonly cell: string;
  readonly workload: { readonly sessions: number; readonly messages: number };
  readonly threads: number;
}

/** @throws HarnessError BAD_INPUT for the first cell that does not fit, naming what would. */
export function requireMemory(specs: Iterable<Sized>, memoryBytes: number): void {
  const usable = memoryBytes * USABLE_SHARE;
  for (const { cell, workload, threads } of specs) {
    const perSession = SESSION_BYTES + workload.messages * MESSAGE_BYTES;
    const needed = perSession * workload.sessions + threads * THREAD_BYTES;
    if (needed <= usable) continue;
    const fitting = Math.max(0, Math.floor((usable - threads * THREAD_BYTES) / perSession));
    throw badInput(
      `${cell}: ${workload.sessions} sessions of ${workload.messages} messages on ${threads} ` +
        `thread${threads === 1 ? '' : 's'} need about ${gibibytes(needed)} of memory, this machine ` +
        `has ${gibibytes(memoryBytes)}; about ${fitting} sessions would fit`,
    );
  }
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
