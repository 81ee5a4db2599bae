/**
 * Reads evidence with an authority's secrets, or with keys that it disclosed: the authority's own code,
 * for whoever holds them.
 *
 * @module
 */

import { getUint32, toHex } from '../core/bytes.ts';
import { RatchetAuthority, type EvidenceFrame } from '../pipelines/_escrow-authority.ts';
import { FieldInfo } from '../pipelines/_escrow-field.ts';
import { openField } from '../pipelines/_escrow-ratchet.ts';
import {
  OUTCOME,
  type Authority,
  type AuthorityOpening,
  type Pipeline,
} from '../pipelines/_pipeline.ts';
import type { FieldSecret } from '../protocols/field-kem.ts';
import type { Leak, UserDayKey } from './adversary.ts';
import type { Frame, PublicFacts } from './evidence.ts';
import type { SharedReadings } from './shared-readings.ts';

const ROOM_BYTES = 65_536;

/** @throws RangeError for a pipeline without an authority. */
export function openAuthority(facts: PublicFacts, secrets: readonly Uint8Array[]): Authority {
  const { provider, pipeline, directory, members, options } = facts;
  if (pipeline.openAuthority === undefined) {
    throw new RangeError(`"pipeline" expected one with an authority, got ${pipeline.name}`);
  }
  return pipeline.openAuthority({ provider, secrets, directory, members, options });
}

/** What is told of each frame that an authority was shown. */
export type Watch = (frame: Frame, isRead: boolean) => void;

/**
 * Shows an authority the frames that are evidence, in their order; what it cannot answer yet it is
 * shown again, newest first, after each later frame of the other member.
 */
export function readWithAuthority(
  { evidenceKind, answersLate }: PublicFacts,
  authority: Authority,
  frames: readonly Frame[],
  watch?: Watch,
): Map<number, Uint8Array> {
  const claims = new Map<number, Uint8Array>();
  const out = new Uint8Array(ROOM_BYTES);
  const waiting = new Map<number, Frame[]>();
  const show = (frame: Frame): number => {
    const length = authority.recover(frame.session, frame.sender, frame.bytes, out);
    if (length >= 0) claims.set(frame.message, out.slice(0, length));
    watch?.(frame, length >= 0);
    return length;
  };
  for (const frame of frames) {
    if (frame.kind !== evidenceKind) continue;
    authority.advance?.(frame.atMs);
    const outcome = show(frame);
    if (!answersLate) continue;
    const ofSession = waiting.get(frame.session) ?? [];
    if (outcome === OUTCOME.UNKNOWN_KEY) ofSession.unshift(frame);
    const still = ofSession.filter(
      (earlier) => earlier.sender === frame.sender || show(earlier) === OUTCOME.UNKNOWN_KEY,
    );
    waiting.set(frame.session, still);
  }
  return claims;
}

const USER_DAY_FIELD_TYPE = 5;
const DAY_BYTES = 4;
const KEY_BYTES = 32;

/** E5 for whoever has keys of users and days, and not the master: nothing else opens with them. */
export function openUserDays(facts: PublicFacts, keys: readonly UserDayKey[]): Authority {
  const { provider, directory, members, options } = facts;
  const opening: AuthorityOpening = { provider, secrets: [], directory, members, options };
  const seal = openField(provider, undefined, options);
  const info = new FieldInfo(USER_DAY_FIELD_TYPE);
  const secrets = new Map<string, FieldSecret>();
  for (const { user, day, secret } of keys) {
    secrets.set(`${user}/${day}`, seal.prepareSecret(secret));
  }
  const sealedBytes = KEY_BYTES + seal.overheadBytes;
  const encryptionKey = (frame: EvidenceFrame, out: Uint8Array): number => {
    if (frame.fieldBytes !== DAY_BYTES + 2 * sealedBytes) return OUTCOME.ESCROW_INVALID;
    const day = getUint32(frame.field, 0);
    for (const [place, member] of [frame.sender, 1 - frame.sender].entries()) {
      const secret = secrets.get(`${members.user(frame.session, member)}/${day}`);
      if (secret === undefined) continue;
      const at = DAY_BYTES + place * sealedBytes;
      const sealed = frame.field.slice(at, at + sealedBytes);
      const ownInfo = info.of(frame.session, frame.sender, frame.n);
      if (seal.open(out, secret, ownInfo, frame.ofMessage(), sealed)) return 0;
    }
    return OUTCOME.UNKNOWN_KEY;
  };
  return new RatchetAuthority(opening, { encryptionKey });
}

/** Reads with whatever of an authority's leaked; nothing where nothing did. */
export function readWithLeak(
  facts: PublicFacts,
  frames: readonly Frame[],
  leak: Leak,
): ReadonlyMap<number, Uint8Array> {
  const { authority: secrets, authorityAtMs, userDays } = leak;
  const isEmpty = userDays === undefined && (secrets ?? []).length === 0;
  if (isEmpty) return new Map();
  const { shared, pipeline, options } = facts;
  const read = (given: readonly Frame[]): Map<number, Uint8Array> => {
    const authority =
      userDays === undefined ? openAuthority(facts, secrets!) : openUserDays(facts, userDays);
    if (authorityAtMs !== undefined) authority.advance?.(authorityAtMs);
    return readWithAuthority(facts, authority, given);
  };
  if (shared === undefined) return read(frames);
  const keys = [
    options['threshold'],
    authorityAtMs,
    ...(secrets ?? []).map(toHex),
    ...(userDays ?? []).map(({ user, day, secret }) => `${user}/${day}/${toHex(secret)}`),
  ];
  return opensOneByOne(pipeline)
    ? readOneByOne(shared, keys.join('|'), frames, read)
    : shared.read(keys, frames, () => read(frames));
}

/** Whether the messages of a design open one by one, each at a price that is not paid twice. */
export function opensOneByOne({ rung }: Pipeline): boolean {
  return rung === 'E4' || rung === 'E6';
}

function readOneByOne(
  shared: SharedReadings,
  key: string,
  frames: readonly Frame[],
  read: (untried: readonly Frame[]) => Map<number, Uint8Array>,
): ReadonlyMap<number, Uint8Array> {
  const found = new Map(frames.map((frame) => [frame, shared.find(key, frame)]));
  const untried = frames.filter((frame) => found.get(frame) === undefined);
  const texts = untried.length === 0 ? new Map<number, Uint8Array>() : read(untried);
  for (const frame of untried) shared.keep(key, frame, texts.get(frame.message));
  for (const [{ message }, opened] of found) {
    if (opened?.text !== undefined) texts.set(message, opened.text);
  }
  return texts;
}
