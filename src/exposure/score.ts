/**
 * Scores claims against what was said, byte by byte, and adds up what came of an attack over towns.
 *
 * @module
 */

import { equalBytes } from '../core/bytes.ts';
import type { Claims, Mount } from './adversary.ts';
import type { Message } from './evidence.ts';
import type { Town } from './town.ts';

/** Messages before or after the seizure. */
export interface SideTally {
  of: number;
  recovered: number;
  /** Of `of`: what the expected table says; and what the two do not agree on. */
  expected: number;
  missing: number;
  unexpected: number;
}

/** Around the seizure messages are counted by their distance from it, so far. */
export const CURVE_REACH = 30;

/** What came of one form of an attack, over all its mountings. */
export interface Tally {
  mounts: number;
  past: SideTally;
  future: SideTally;
  /** Claims that are not what was said: decoys, and bytes that are no text. */
  wrong: number;
  /** Whether every mounting had an expectation. */
  isJudged: boolean;
  usersTouched: number;
  users: number;
  /** By distance from the seizure, -30 to 30: how many there were, and how many were recovered. */
  curveOf: number[];
  curveRecovered: number[];
  /** After a seizure, by session that had begun: messages until the first that does not open. */
  healing: { sent: number[]; received: number[]; both: number[]; neverHealed: number };
  warrant: WarrantTally | undefined;
  /** CPU of the attack. */
  cpuNs: number;
  /** By primitive: calls of the attack. */
  calls: Record<string, number>;
}

export interface WarrantTally {
  unit: string;
  warrants: number;
  askedFor: number;
  askedForRecovered: number;
  /** Messages that the disclosed material opens, and those of them nobody asked for. */
  opens: number;
  opensOutside: number;
}

function newSide(): SideTally {
  return { of: 0, recovered: 0, expected: 0, missing: 0, unexpected: 0 };
}

function zeroCurve(): number[] {
  return Array.from({ length: 2 * CURVE_REACH + 1 }, () => 0);
}

export function newTally(): Tally {
  return {
    mounts: 0,
    past: newSide(),
    future: newSide(),
    wrong: 0,
    isJudged: true,
    usersTouched: 0,
    users: 0,
    curveOf: zeroCurve(),
    curveRecovered: zeroCurve(),
    healing: { sent: [], received: [], both: [], neverHealed: 0 },
    warrant: undefined,
    cpuNs: 0,
    calls: {},
  };
}

/** The messages whose claim is what was said. */
export function recoveredBy(town: Town, claims: Claims): Set<number> {
  const { messages } = town.recording;
  const recovered = new Set<number>();
  for (const [message, text] of claims) {
    if (equalBytes(text, messages[message]!.plaintext)) recovered.add(message);
  }
  return recovered;
}

/** Adds one mounting. */
export function addMount(tally: Tally, town: Town, mount: Mount, claims: Claims): void {
  const { recording, plan } = town;
  const { isInScope, isExpected, seizedUser, warrant } = mount;
  const recovered = recoveredBy(town, claims);
  const touched = new Set<number>();
  tally.mounts += 1;
  tally.wrong += claims.size - recovered.size;
  tally.isJudged &&= isExpected !== undefined;
  for (const message of recording.messages) {
    if (!isInScope(message)) continue;
    const isRecovered = recovered.has(message.id);
    const side = message.step <= plan.seizedAfter ? tally.past : tally.future;
    side.of += 1;
    if (isRecovered) {
      side.recovered += 1;
      for (const member of [0, 1])
        touched.add(recording.facts.members.user(message.session, member));
    }
    if (isExpected === undefined) continue;
    const expected = isExpected(message);
    if (expected) side.expected += 1;
    if (expected && !isRecovered) side.missing += 1;
    if (!expected && isRecovered) side.unexpected += 1;
  }
  tally.usersTouched += touched.size;
  tally.users += recording.facts.users;
  if (seizedUser !== undefined) addSeizure(tally, town, seizedUser, recovered);
  if (warrant !== undefined) addWarrant(tally, town, mount, recovered);
}

/** Curve and healing, of the sessions of a user that had begun at the seizure. */
function addSeizure(
  tally: Tally,
  { recording, plan }: Town,
  user: number,
  recovered: ReadonlySet<number>,
): void {
  const { script, isLate, seizedAfter } = plan;
  const { members } = recording.facts;
  for (let session = 0; session < script.sessions; session++) {
    const member = [0, 1].find((one) => members.user(session, one) === user);
    if (member === undefined || isLate(session)) continue;
    const ofSession = recording.messages.slice(
      session * script.messages,
      (session + 1) * script.messages,
    );
    for (const { id, index } of ofSession) {
      const at = index - seizedAfter + CURVE_REACH;
      if (at < 0 || at > 2 * CURVE_REACH) continue;
      tally.curveOf[at]! += 1;
      if (recovered.has(id)) tally.curveRecovered[at]! += 1;
    }
    addHealing(tally, ofSession.slice(seizedAfter + 1), member, recovered);
  }
}

function addHealing(
  { healing }: Tally,
  later: readonly Message[],
  member: number,
  recovered: ReadonlySet<number>,
): void {
  const openOf = (messages: readonly Message[]): number | undefined => {
    const first = messages.findIndex(({ id }) => !recovered.has(id));
    return first === -1 ? undefined : first;
  };
  const sent = openOf(later.filter(({ sender }) => sender === member));
  const received = openOf(later.filter(({ sender }) => sender !== member));
  const both = openOf(later);
  if (sent !== undefined) healing.sent.push(sent);
  if (received !== undefined) healing.received.push(received);
  if (both === undefined) healing.neverHealed += 1;
  else healing.both.push(both);
}

function addWarrant(tally: Tally, town: Town, mount: Mount, recovered: ReadonlySet<number>): void {
  const { isAskedFor, disclosedOpens, unit } = mount.warrant!;
  tally.warrant ??= {
    unit,
    warrants: 0,
    askedFor: 0,
    askedForRecovered: 0,
    opens: 0,
    opensOutside: 0,
  };
  const { warrant } = tally;
  const { messages } = town.recording;
  warrant.warrants += 1;
  const asked = messages.filter(isAskedFor);
  warrant.askedFor += asked.length;
  warrant.askedForRecovered += asked.filter(({ id }) => recovered.has(id)).length;
  const opens = disclosedOpens(recovered);
  warrant.opens += opens.size;
  for (const id of opens) if (!isAskedFor(messages[id]!)) warrant.opensOutside += 1;
}
