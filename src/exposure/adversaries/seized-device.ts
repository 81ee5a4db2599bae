import {
  notMounted,
  type Claims,
  type Leak,
  type Mount,
  type ReadingAdversary,
} from '../adversary.ts';
import { deviceOpens } from '../expected.ts';
import type { Evidence, Message, PublicFacts } from '../evidence.ts';
import { innerKindOf } from '../frame-profile.ts';
import { openInnerReader } from '../inner-reader.ts';
import { keyringOf, quantumOracle, type Keyring } from '../keyring.ts';
import { keyEncryptionKeyOf, openStored } from '../layers.ts';
import type { Town } from '../town.ts';
import { DAY_MS, isRetained, retained } from './_everyone.ts';

/** Days that the messages of `history=disappearing` stay on a device. */
const DISAPPEARING_DAYS = 2;

interface Form {
  readonly label: string;
  /** How far back the device's message database reaches. */
  readonly historyDays?: number;
  readonly isExhausted?: boolean;
  readonly withQuantum?: boolean;
}

const FORMS: readonly Form[] = [
  { label: 'history=wiped' },
  { label: 'history=wiped,opk=exhausted', isExhausted: true },
  { label: 'history=kept', historyDays: Infinity },
  { label: `history=disappearing-${DISAPPEARING_DAYS}d`, historyDays: DISAPPEARING_DAYS },
  { label: 'history=wiped,quantum=yes', withQuantum: true },
];

/**
 * A5a: the device of each user in turn, copied once, and all frames that the relay keeps. It counts
 * what the device's keys open: what is readable without them is A1's and A2's.
 */
const seizedDevice: ReadingAdversary = {
  kind: 'reader',
  name: 'seized-device',
  id: 'A5a',
  title: 'Device seized, a copy of its state',
  gets: 'all keys on one device at the compromise, its message database, and what the relay keeps',
  holds: 'one state per session of the user',
  attack(facts, evidence, leak) {
    const claims = new Map(leak.history);
    for (const [message, text] of readWithKeys(facts, evidence, leak)) {
      if (!claims.has(message)) claims.set(message, text);
    }
    return claims;
  },
  mounts(town) {
    if (town.seized.length === 0) {
      return notMounted('unsupported', 'its library gives up no state');
    }
    const kind = innerKindOf(town.plan.pipeline);
    const hasPrekeys = kind === 'chain' || kind === 'ratchet';
    const forms = FORMS.filter(({ isExhausted = false, withQuantum = false }) => {
      if (isExhausted) return hasPrekeys;
      // An escrow design is as the ratchet underneath.
      const isRung = town.plan.pipeline.family === 'ratchet';
      return withQuantum ? kind === 'ratchet' && isRung : true;
    });
    return forms.flatMap((form) => town.seized.map((_device, user) => mountFor(town, user, form)));
  },
};

export default seizedDevice;

function readWithKeys(facts: PublicFacts, evidence: Evidence, leak: Leak): Claims {
  const { keyring, device } = leak;
  if (keyring === undefined || innerKindOf(facts.pipeline) === 'clear') return new Map();
  const frames = openStored(facts, evidence, leak);
  const open = (): Claims => {
    const reader = openInnerReader(facts, { keyring, sessions: device?.sessions ?? [] });
    const claims = new Map<number, Uint8Array>();
    for (const frame of frames) {
      const text = frame.kind === 'message' ? reader.read(frame) : undefined;
      if (text !== undefined) claims.set(frame.message, text);
    }
    return claims;
  };
  // Its message database changes nothing of what its keys open.
  return facts.shared?.read([keyring, device], frames, open) ?? open();
}

/** Nothing but its keys. */
export const WIPED: Form = FORMS[0]!;

/** The device of one user. */
export function mountFor(town: Town, user: number, form: Form): Mount {
  const { recording, plan, seizedAtMs, seized } = town;
  const { members } = recording.facts;
  const device = seized[user]!;
  const { historyDays = 0, isExhausted = false, withQuantum = false } = form;
  const isTheirs = ({ session }: { readonly session: number }): boolean =>
    members.user(session, 0) === user || members.user(session, 1) === user;
  const { evidence, keyring, keyEncryptionKey } = baseOf(town, user, isExhausted, withQuantum);
  const isOnDevice = ({ session, step, atMs }: Message): boolean =>
    isTheirs({ session }) && step <= plan.seizedAfter && seizedAtMs - atMs < historyDays * DAY_MS;
  const leak: Leak = {
    keyEncryptionKey,
    keyring,
    device,
    history: historyOf(town, isOnDevice),
  };
  const opens = deviceOpens(town, { user, isExhausted, withQuantum });
  const isKept = isRetained(town);
  return {
    label: form.label,
    evidence,
    leak,
    isInScope: isTheirs,
    isExpected:
      opens === undefined
        ? undefined
        : (message) => isOnDevice(message) || (isKept(message) && opens(message)),
    seizedUser: user,
    ...(form === WIPED ? { isTimed: true } : {}),
  };
}

/** What the forms of one seizure share. */
type Base = Required<Pick<Mount, 'evidence'>> &
  Required<Pick<Leak, 'keyring' | 'keyEncryptionKey'>>;

const BASES = new WeakMap<Town, Map<string, Base>>();

function baseOf(town: Town, user: number, isExhausted: boolean, withQuantum: boolean): Base {
  let ofTown = BASES.get(town);
  if (ofTown === undefined) BASES.set(town, (ofTown = new Map()));
  const name = `${user}/${isExhausted}/${withQuantum}`;
  let base = ofTown.get(name);
  if (base === undefined) {
    const { members } = town.recording.facts;
    const kept = retained(town);
    const isTheirs = ({ session }: { readonly session: number }): boolean =>
      members.user(session, 0) === user || members.user(session, 1) === user;
    base = {
      evidence: { ...kept, frames: kept.frames.filter(isTheirs) },
      keyring: makeKeyring(town, user, isExhausted, withQuantum),
      keyEncryptionKey: keyEncryptionKeyOf(town.world.relay),
    };
    ofTown.set(name, base);
  }
  return base;
}

function makeKeyring(
  town: Town,
  user: number,
  isExhausted: boolean,
  withQuantum: boolean,
): Keyring {
  const { plan, seized, prekeys, recording } = town;
  const more = withQuantum ? quantumOracle(plan.provider, town.drawn) : undefined;
  const keyring = keyringOf(plan.provider, seized[user]!, more);
  if (!isExhausted) return keyring;
  // The prekeys of sessions that the user answered: those of a directory that had run out, which
  // devices keep, and of the KEM the one of last resort.
  const { members, bundles } = recording.facts;
  for (let session = 0; session < bundles.length; session++) {
    if (members.user(session, 1) === user) keyring.addPrekey(prekeys[session]!);
  }
  return keyring;
}

function historyOf(
  { recording, outcomes }: Town,
  isOnDevice: (message: Message) => boolean,
): Map<number, Uint8Array> {
  const history = new Map<number, Uint8Array>();
  for (const message of recording.messages) {
    if (isOnDevice(message) && outcomes[message.id]! >= 0) {
      history.set(message.id, message.plaintext);
    }
  }
  return history;
}
