/**
 * What relay and network still see of a town when no text opens: who writes to whom, how long messages
 * are, where turns begin, and who is sent one ciphertext more.
 *
 * @module
 */

import { toHex } from '../core/bytes.ts';
import { SeededRandom } from '../core/random.ts';
import { ANONYMOUS_CONNECTION } from '../pipelines/_pipeline.ts';
import type { Passage } from './evidence.ts';
import { innerKindOf, ratchetProfile } from './frame-profile.ts';
import type { Town } from './town.ts';

const IDENTITY_BYTES = 64;
const RATCHET_KEY_BYTES = 32;
const CHANCE_SHUFFLES = 20;

export interface Edges {
  real: number;
  guessed: number;
  right: number;
}

/** Of many towns. */
export interface Metadata {
  contacts: Edges;
  contactsByChance: Edges;
  /** How often each length of a message went with each length of a frame, by `message/frame`. */
  readonly lengths: Map<string, number>;
  turns: { turns: number; found: number; others: number; falsely: number };
  fanOut: {
    targetMessages: number;
    targetRecords: number;
    otherMessages: number;
    otherRecords: number;
  };
}

export function newMetadata(): Metadata {
  return {
    contacts: { real: 0, guessed: 0, right: 0 },
    contactsByChance: { real: 0, guessed: 0, right: 0 },
    lengths: new Map(),
    turns: { turns: 0, found: 0, others: 0, falsely: 0 },
    fanOut: { targetMessages: 0, targetRecords: 0, otherMessages: 0, otherRecords: 0 },
  };
}

/** Adds what one town shows. Holds a number per pair of users and per pair of lengths. */
export function addMetadata(metadata: Metadata, town: Town): void {
  addContacts(metadata, town);
  addLengths(metadata, town);
  addTurns(metadata, town);
  addFanOut(metadata, town);
}

function addContacts(metadata: Metadata, { recording, plan }: Town): void {
  const { facts, passages } = recording;
  const real = new Set<string>();
  for (let session = 0; session < facts.members.sessions; session++) {
    real.add(edge(facts.members.user(session, 0), facts.members.user(session, 1)));
  }
  const frames = passages.filter(({ kind }) => kind === 'message');
  const identities = new Map<string, number>();
  for (let user = 0; user * IDENTITY_BYTES < facts.directory.length; user++) {
    const at = user * IDENTITY_BYTES;
    identities.set(toHex(facts.directory.subarray(at, at + IDENTITY_BYTES)), user);
  }
  const guessed = new Set<string>();
  for (const { from, to, content } of frames) {
    // The sender field of the log, and the identity that a handshake names.
    const named = identities.get(toHex(content.subarray(1, 1 + IDENTITY_BYTES)));
    const sender = from < ANONYMOUS_CONNECTION ? from : named;
    if (sender !== undefined && sender !== to) guessed.add(edge(sender, to));
  }
  count(metadata.contacts, real, guessed);
  if (guessed.size > 0 || frames.length === 0) return;
  const random = new SeededRandom(plan.seed, 0x6772_6170);
  for (let shuffle = 0; shuffle < CHANCE_SHUFFLES; shuffle++) {
    const users = random.shuffle(Array.from({ length: facts.users }, (_, user) => user));
    const byOrder = new Set<string>();
    for (const { from, to } of frames) {
      const user = users[from - ANONYMOUS_CONNECTION]!;
      if (user !== to) byOrder.add(edge(user, to));
    }
    count(metadata.contactsByChance, real, byOrder);
  }
}

function count(edges: Edges, real: ReadonlySet<string>, guessed: ReadonlySet<string>): void {
  edges.real += real.size;
  edges.guessed += guessed.size;
  for (const one of guessed) if (real.has(one)) edges.right += 1;
}

/** Two users who talk, in either order. */
function edge(one: number, other: number): string {
  return one < other ? `${one}-${other}` : `${other}-${one}`;
}

/** Lengths on the wire, of frames that carry nothing of a handshake: those are longer for all. */
function addLengths({ lengths }: Metadata, { recording, plan }: Town): void {
  const { script } = plan;
  for (const { kind, message, uplink } of recording.passages) {
    const { index, session, plaintext } = recording.messages[message]!;
    if (kind !== 'message' || index < firstReply(script.speakers, session, script.messages))
      continue;
    const name = `${plaintext.length}/${uplink.length}`;
    lengths.set(name, (lengths.get(name) ?? 0) + 1);
  }
}

/** The number of the first message after one of member 1 was answered. */
function firstReply(speakers: Uint8Array, session: number, messages: number): number {
  const from = session * messages;
  let index = 0;
  while (index < messages && speakers[from + index] === 0) index += 1;
  return index + 1;
}

/** H(message length), and I(message length; frame length), in bits. */
export function lengthBits({ lengths }: Metadata): { readonly all: number; readonly told: number } {
  const [messages, frames] = [new Map<string, number>(), new Map<string, number>()];
  let total = 0;
  for (const [name, times] of lengths) {
    const [message, frame] = name.split('/') as [string, string];
    messages.set(message, (messages.get(message) ?? 0) + times);
    frames.set(frame, (frames.get(frame) ?? 0) + times);
    total += times;
  }
  const entropy = (counts: Iterable<number>): number => {
    let bits = 0;
    for (const times of counts) bits -= (times / total) * Math.log2(times / total);
    return bits;
  };
  if (total === 0) return { all: 0, told: 0 };
  const all = entropy(messages.values());
  return { all, told: Math.max(0, all + entropy(frames.values()) - entropy(lengths.values())) };
}

/** A relay that takes a new ratchet key, or a number that begins again, for a new turn. */
function addTurns({ turns }: Metadata, { recording, plan }: Town): void {
  const kind = innerKindOf(plan.pipeline);
  if (kind === 'opaque') return;
  const { script } = plan;
  const readKey = keyReader(recording.facts);
  const last = new Map<number, string>();
  for (const passage of recording.passages) {
    if (passage.kind !== 'message') continue;
    const { session, sender, index } = recording.messages[passage.message]!;
    const at = session * script.messages + index;
    const isTurn = index > 0 && script.speakers[at] !== script.speakers[at - 1];
    const key = readKey?.(passage);
    const end = session * 2 + sender;
    const isCalled = key !== undefined && index > 0 && last.get(end) !== key;
    if (key !== undefined) last.set(end, key);
    if (index === 0) continue;
    if (isTurn) turns.turns += 1;
    else turns.others += 1;
    if (isTurn && isCalled) turns.found += 1;
    if (!isTurn && isCalled) turns.falsely += 1;
  }
}

/** What in a header stays the same within a turn; undefined where headers have nothing of the kind. */
function keyReader(
  facts: Town['recording']['facts'],
): ((passage: Passage) => string | undefined) | undefined {
  const { provider, pipeline, options } = facts;
  if (innerKindOf(pipeline) !== 'ratchet') return undefined;
  const { shape, sealedSender } = ratchetProfile(provider, pipeline, options);
  if (sealedSender) return ({ content }) => toHex(content.subarray(1, 1 + RATCHET_KEY_BYTES));
  const handshake = 104 + shape.kemCiphertextBytes;
  return ({ content }) => {
    const headerAt = 1 + ((content[0]! & 1) === 0 ? 0 : handshake);
    return toHex(content.subarray(headerAt, headerAt + RATCHET_KEY_BYTES));
  };
}

function addFanOut({ fanOut }: Metadata, { recording }: Town): void {
  const { targets, evidenceKind } = recording.facts;
  const isTarget = (session: number): boolean => evidenceKind === 'escrow' && session < targets;
  for (const { session } of recording.messages) {
    if (isTarget(session)) fanOut.targetMessages += 1;
    else fanOut.otherMessages += 1;
  }
  for (const { session } of recording.passages) {
    if (isTarget(session)) fanOut.targetRecords += 1;
    else fanOut.otherRecords += 1;
  }
}
