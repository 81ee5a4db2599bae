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
import { OUTCOME, type Authority, type AuthorityOpening } from '../pipelines/_pipeline.ts';
import type { FieldSecret } from '../protocols/field-kem.ts';
import type { Leak, UserDayKey } from './adversary.ts';
import type { Frame, PublicFacts } from './evidence.ts';

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

/**
 * Reads with whatever of an authority's leaked; nothing where nothing did.
 *
 * @param afresh Also what another attack on the same town has opened with the same secrets: for
 *   figures of CPU.
 */
export function readWithLeak(
  facts: PublicFacts,
  frames: readonly Frame[],
  { authority: secrets, authorityAtMs, userDays }: Leak,
  afresh = false,
): Map<number, Uint8Array> {
  if (userDays !== undefined) {
    return readWithAuthority(facts, openUserDays(facts, userDays), frames);
  }
  if (secrets === undefined || secrets.length === 0) return new Map();
  const authority = openAuthority(facts, secrets);
  if (authorityAtMs !== undefined) authority.advance?.(authorityAtMs);
  if (!OPENED_ONCE.includes(facts.pipeline.rung)) {
    return readWithAuthority(facts, authority, frames);
  }
  const known = openedWith(facts, secrets);
  const unknown = afresh ? frames : frames.filter(({ message }) => !known.has(message));
  const claims = readWithAuthority(facts, authority, unknown, ({ message }, isRead) => {
    if (!isRead) known.set(message, undefined);
  });
  for (const [message, text] of claims) known.set(message, text);
  for (const { message } of frames) {
    const text = known.get(message);
    if (text !== undefined) claims.set(message, text);
  }
  return claims;
}

/** Designs whose messages open one by one, each at a price: what one attack opened is not paid twice. */
const OPENED_ONCE = ['E4', 'E6'];

const OPENED = new WeakMap<object, Map<string, Map<number, Uint8Array | undefined>>>();

/** What these secrets opened of this town, and what they did not. */
function openedWith(
  { members, options }: PublicFacts,
  secrets: readonly Uint8Array[],
): Map<number, Uint8Array | undefined> {
  let ofTown = OPENED.get(members);
  if (ofTown === undefined) OPENED.set(members, (ofTown = new Map()));
  const name = [options['threshold'] ?? '', ...secrets.map(toHex)].join('/');
  let opened = ofTown.get(name);
  if (opened === undefined) ofTown.set(name, (opened = new Map()));
  return opened;
}
