/** Escrow designs moved by hand, with the time of each message and what the authority makes of it. */

import assert from 'node:assert/strict';
import { equalBytes, utf8 } from '../../src/core/bytes.ts';
import { EMPTY } from '../../src/core/bytes.ts';
import { SmallWorld } from '../conformance/_small-world.ts';
import { loadAllPipelines, loadProvider, optionsOf } from '../conformance/_parts.ts';
import type { FrameKind } from '../../src/pipelines/_pipeline.ts';

export const native = await loadProvider('native');
const pipelines = await loadAllPipelines();

/** Sessions of an escrow design without hops and sealing at rest: frames are what the ends made. */
export async function openEscrow(
  name: string,
  given: Record<string, string> = {},
  sessions = 2,
): Promise<SmallWorld> {
  const pipeline = pipelines.find((candidate) => candidate.name === name);
  assert.ok(pipeline !== undefined, name);
  const options = optionsOf(pipeline, { hop: 'none', rest: 'none', ...given });
  return SmallWorld.open(pipeline, native, options, sessions);
}

export interface Sent {
  readonly session: number;
  readonly member: number;
  readonly text: Uint8Array;
  /** What the receiver gets, and what the authority does. */
  readonly frame: Uint8Array;
  readonly evidence: Uint8Array;
}

export function sendAt(world: SmallWorld, session: number, member: number, atMs: number): Sent {
  const text = utf8(`from ${member} of session ${session} at ${atMs}`);
  const frames: Partial<Record<FrameKind, Uint8Array>> = {};
  let reserved = EMPTY;
  world.clients.send(session, member, text, atMs, {
    reserve: (bytes) => (reserved = new Uint8Array(bytes)),
    emit: (_to, kind, length) => {
      frames[kind] = reserved.slice(0, length);
    },
  });
  const frame = frames.message!;
  return { session, member, text, frame, evidence: frames.escrow ?? frame };
}

/** @returns The outcome: 0 when the text arrived. */
export function receiveAt(
  world: SmallWorld,
  { session, member, text, frame }: Sent,
  atMs: number,
): number {
  const out = new Uint8Array(frame.length);
  const length = world.clients.receive(session, 1 - member, frame.slice(), atMs, out);
  if (length < 0) return length;
  assert.ok(equalBytes(out.subarray(0, length), text), 'another plaintext arrived');
  return 0;
}

/** @returns The outcome: 0 when the authority recovered the text. */
export function recover(world: SmallWorld, { session, member, text, evidence }: Sent): number {
  const recovered = world.recover(session, member, evidence);
  if (typeof recovered === 'number') return recovered;
  assert.ok(equalBytes(recovered, text), 'another plaintext was recovered');
  return 0;
}
