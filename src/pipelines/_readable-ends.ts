/**
 * The ends of the plaintext-relay family: what is sent is what the relay reads.
 *
 * @module
 */

import { EMPTY } from '../core/bytes.ts';
import type { PackedMembers } from './_members.ts';
import type { EndToEnd } from './_carrier.ts';
import type { MemoryNeeds, Outbox, Pipeline, SeizedDevice, World } from './_pipeline.ts';
import { carry } from './_carrier.ts';

class ReadableEnds implements EndToEnd {
  readonly #members: PackedMembers;

  constructor(members: PackedMembers) {
    this.#members = members;
  }

  publish(): void {
    // Nothing is agreed between the ends, so there is nothing to publish.
  }

  initiate(): number {
    return 0;
  }

  send(
    session: number,
    member: number,
    plaintext: Uint8Array,
    _atMs: number,
    outbox: Outbox,
  ): void {
    outbox.reserve(plaintext.length).set(plaintext);
    outbox.emit(this.#members.user(session, 1 - member), 'message', plaintext.length);
  }

  receive(
    _session: number,
    _member: number,
    frame: Uint8Array,
    _atMs: number,
    out: Uint8Array,
  ): number {
    out.set(frame);
    return frame.length;
  }

  snapshot(): Uint8Array {
    return EMPTY;
  }

  seize(): SeizedDevice {
    return { secrets: EMPTY, prekeys: [], sessions: [] };
  }

  keys(): Uint8Array {
    return EMPTY;
  }
}

/** Connections and keys of the day: nothing of a session but its place in lists. */
export const READABLE_MEMORY: MemoryNeeds = { sessionBytes: 64, userBytes: 2_048 };

/** `open` of every pipeline whose relay can read. */
export const openReadable: Pipeline['open'] = (setup): World => ({
  ...carry(setup, new ReadableEnds(setup.members)),
  directory: EMPTY,
});
