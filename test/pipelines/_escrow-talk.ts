/**
 * Conversations in a small world for tests of escrow designs: what went over the wire, and what an
 * authority makes of it.
 *
 * @module
 */

import assert from 'node:assert/strict';
import { equalBytes, getUint16, getUint32, utf8 } from '../../src/core/bytes.ts';
import type { Provider } from '../../src/crypto/provider.ts';
import type { Options, Pipeline } from '../../src/pipelines/_pipeline.ts';
import { OUTCOME } from '../../src/pipelines/_pipeline.ts';
import { ISOLATED, optionsOf } from '../conformance/_parts.ts';
import { SmallWorld } from '../conformance/_small-world.ts';

const HEADER_BYTES = 40;
const HANDSHAKE_BYTES = 104;
const HANDSHAKE_CIPHERTEXT_BYTES = 1568;

/** A message that was sent. */
export interface Sent {
  readonly member: number;
  readonly text: Uint8Array;
  readonly frame: Uint8Array;
}

/** The two ends alone, with these options. */
export async function openTalk(
  pipeline: Pipeline,
  provider: Provider,
  options: Options = {},
): Promise<SmallWorld> {
  return SmallWorld.open(pipeline, provider, optionsOf(pipeline, { ...ISOLATED, ...options }));
}

/** Sends on session 0, and has the relay store it unless it is lost before. */
export function send(world: SmallWorld, member: number, text: string, isStored = true): Sent {
  const sent = { member, text: utf8(text), frame: world.send(0, member, utf8(text)) };
  if (isStored) world.clients.acknowledge?.(0, member);
  return sent;
}

/** Receives what was sent, which must open. */
export function deliver(world: SmallWorld, { member, text, frame }: Sent): void {
  const received = world.receive(0, 1 - member, frame);
  assert.ok(typeof received !== 'number' && equalBytes(received, text), String(received));
}

/** One message from end to end. */
export function say(world: SmallWorld, member: number, text: string): Sent {
  const sent = send(world, member, text);
  deliver(world, sent);
  return sent;
}

/** What the authority makes of a message: `valid` and `decoy` opened, `failed` did not. */
export type Finding = 'valid' | 'decoy' | 'failed';

export function findingOf(world: SmallWorld, { member, text, frame }: Sent): Finding {
  const recovered = world.recover(0, member, frame);
  if (typeof recovered === 'number') return 'failed';
  return equalBytes(recovered, text) ? 'valid' : 'decoy';
}

/**
 * Hands the frames over in this order. One for which no evidence has a key yet is kept and handed over
 * again after each frame of the other end, newest first, as an authority does that has an archive.
 *
 * @returns By message: what became of it in the end.
 */
export function readAll(world: SmallWorld, frames: readonly Sent[]): Map<Sent, Finding> {
  const findings = new Map<Sent, Finding>();
  const waiting: Sent[] = [];
  for (const sent of frames) {
    const outcome = world.recover(0, sent.member, sent.frame);
    if (outcome === OUTCOME.UNKNOWN_KEY) waiting.unshift(sent);
    findings.set(sent, judge(outcome, sent));
    for (const earlier of waiting) {
      if (earlier.member === sent.member || findings.get(earlier) !== 'failed') continue;
      findings.set(earlier, findingOf(world, earlier));
    }
  }
  return findings;
}

function judge(recovered: Uint8Array | number, { text }: Sent): Finding {
  if (typeof recovered === 'number') return 'failed';
  return equalBytes(recovered, text) ? 'valid' : 'decoy';
}

/** Where the parts of a frame are that everybody sees. */
export interface FrameParts {
  readonly headerAt: number;
  readonly ratchetKey: Uint8Array;
  readonly n: number;
  readonly fieldAt: number;
  readonly field: Uint8Array;
  readonly ciphertextAt: number;
}

export function partsOf(world: SmallWorld, frame: Uint8Array): FrameParts {
  const isPqxdh = world.options['ratchet'] === 'pqxdh-ratchet';
  const handshake = HANDSHAKE_BYTES + (isPqxdh ? HANDSHAKE_CIPHERTEXT_BYTES : 0);
  const headerAt = 1 + ((frame[0]! & 1) === 0 ? 0 : handshake);
  const fieldAt = headerAt + HEADER_BYTES + 3;
  const ciphertextAt = fieldAt + getUint16(frame, fieldAt - 2);
  return {
    headerAt,
    ratchetKey: frame.subarray(headerAt, headerAt + 32),
    n: getUint32(frame, headerAt + 36),
    fieldAt,
    field: frame.subarray(fieldAt, ciphertextAt),
    ciphertextAt,
  };
}

export function fieldBytes(world: SmallWorld, { frame }: Sent): number {
  return partsOf(world, frame).field.length;
}

/** Every choice of one value of each option. */
export function combinations(choices: Readonly<Record<string, readonly string[]>>): Options[] {
  let all: Options[] = [{}];
  for (const [name, values] of Object.entries(choices)) {
    all = all.flatMap((options) =>
      values.map((value) => Object.assign({}, options, { [name]: value })),
    );
  }
  return all;
}

/**
 * A conversation whose network reorders: on two chains the first frame that arrives is not the first
 * that was sent, one message comes a chain late, and one comes after two later chains.
 */
export function restlessTalk(world: SmallWorld): Sent[] {
  const all: Sent[] = [];
  const post = (member: number): Sent => {
    const sent = send(world, member, `message ${all.length} of member ${member}`);
    all.push(sent);
    return sent;
  };
  const arrive = (...sent: readonly Sent[]): void => sent.forEach((one) => deliver(world, one));
  const converse = (...members: readonly number[]): void =>
    members.forEach((member) => arrive(post(member)));

  converse(0, 0, 1);
  const [first, second, third] = [post(0), post(0), post(0)];
  arrive(second, third);
  const [early, later] = [post(1), post(1)];
  arrive(later, early);
  converse(0);
  arrive(first); // A chain late.
  converse(1);
  const [veryLate, onTime] = [post(0), post(0)];
  arrive(onTime);
  converse(1, 0, 1, 0, 1);
  arrive(veryLate); // After two later chains of its sender.
  converse(0, 1, 0);
  return all;
}
