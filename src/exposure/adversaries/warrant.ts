import type { Leak, Mount, ReadingAdversary } from '../adversary.ts';
import { readWithLeak } from '../authority-reader.ts';
import type { Evidence, Frame, Message } from '../evidence.ts';
import { keyEncryptionKeyOf, openStored, readAsText } from '../layers.ts';
import { recoveredBy } from '../score.ts';
import type { Town } from '../town.ts';
import { userDayKeysOf } from '../user-days.ts';
import { enough } from './mass-decryption.ts';
import { DAY_MS, isReadable, isRetained, nobody, retained } from './_everyone.ts';

/** The period of a warrant, around the compromise: it begins and ends in the middle of days. */
const DAYS_BEFORE = 2.25;
const DAYS_AFTER = 1.5;
/** Users of each town for whom there is a warrant: those who opened these sessions. */
const SESSIONS_OF_TARGETS = [0, 1];

/** A6: the legitimate use, for one user over a period. */
const warrant: ReadingAdversary = {
  kind: 'reader',
  name: 'warrant',
  id: 'A6',
  title: 'Warrant for one user',
  gets: 'the frames of one user over a period, and from the authority what opens them',
  holds: 'per session of the user the authority’s own state',
  attack: read,
  mounts(town) {
    const { members } = town.recording.facts;
    const users = new Set(SESSIONS_OF_TARGETS.map((session) => members.user(session, 0)));
    return [...users].map((user) => mountFor(town, user));
  },
};

export default warrant;

function read(facts: Parameters<ReadingAdversary['attack']>[0], evidence: Evidence, leak: Leak) {
  const frames = openStored(facts, evidence, leak);
  return facts.pipeline.openAuthority === undefined
    ? readAsText(frames)
    : readWithLeak(facts, frames, leak);
}

function mountFor(town: Town, user: number): Mount {
  const { plan, world, seizedAtMs, recording } = town;
  const { facts } = recording;
  const { rung, recovers } = plan.pipeline;
  const fromMs = seizedAtMs - DAYS_BEFORE * DAY_MS;
  const toMs = seizedAtMs + DAYS_AFTER * DAY_MS;
  const isTheirs = ({ session }: { readonly session: number }): boolean =>
    [0, 1].some((member) => facts.members.user(session, member) === user);
  const isAskedFor = (message: Message): boolean =>
    isTheirs(message) && message.atMs >= fromMs && message.atMs <= toMs;
  const keyEncryptionKey = keyEncryptionKeyOf(world.relay);
  const kept = retained(town);
  // What leads to the messages of a period may stand in frames before it: the relay gives those of
  // the user that it has, up to the end of the period.
  const evidence = {
    ...kept,
    frames: kept.frames.filter((frame) => isTheirs(frame) && frame.atMs <= toMs),
  };
  const leak: Leak =
    rung === 'E5'
      ? { keyEncryptionKey, userDays: userDayKeysOf(town, user, fromMs, toMs) }
      : {
          keyEncryptionKey,
          ...(world.authority === undefined ? {} : { authority: enough(town) }),
        };
  const isOpen = isReadable(town) || (world.authority !== undefined && recovers !== 'none');
  const joins = Number(plan.options['joins'] ?? 0);
  // Of what the end that does not comply says, what is answered opens.
  const { answersLate } = facts;
  const retainedMessages = isRetained(town);
  return {
    label: '',
    evidence,
    leak,
    isInScope: isAskedFor,
    isExpected: answersLate
      ? undefined
      : isOpen
        ? ({ index, session, ...message }) =>
            retainedMessages({ index, session, ...message }) &&
            index >= joins &&
            session < facts.targets
        : nobody,
    warrant: {
      isAskedFor,
      unit: unitOf(town),
      disclosedOpens: (recovered) => disclosedOpens(town, leak, isAskedFor, recovered),
    },
  };
}

/** In what an authority discloses. */
function unitOf({ plan }: Town): string {
  switch (plan.pipeline.rung) {
    case 'E1':
      return 'ghost device';
    case 'E2':
      return 'chain key';
    case 'E3':
    case 'E4':
    case 'E6':
      return 'message key';
    case 'E5':
      return 'user-day key';
    case 'E7':
      return 'session seed';
    default:
      return 'plaintext';
  }
}

/** What the disclosed material opens, given all that the relay keeps. */
function disclosedOpens(
  town: Town,
  leak: Leak,
  isAskedFor: (message: Message) => boolean,
  recovered: ReadonlySet<number>,
): ReadonlySet<number> {
  const { recording, plan } = town;
  const { facts, messages } = recording;
  const disclosed = new Set([...recovered].filter((id) => isAskedFor(messages[id]!)));
  const kept = retained(town);
  const opens = (frames: readonly Frame[]): ReadonlySet<number> =>
    recoveredBy(town, read(facts, { ...kept, frames }, leak));
  switch (plan.pipeline.rung) {
    case 'E2': {
      // The first key of a chain opens the chain, also before the period and after it.
      const chains = new Set([...disclosed].map((id) => chainOf(town, messages[id]!)));
      return opens(
        kept.frames.filter(({ message }) => chains.has(chainOf(town, messages[message]!))),
      );
    }
    case 'E5':
      return opens(kept.frames);
    case 'E1':
    case 'E7': {
      // A device, or a seed, is of a conversation.
      const sessions = new Set([...disclosed].map((id) => messages[id]!.session));
      return opens(kept.frames.filter(({ session }) => sessions.has(session)));
    }
    default:
      return disclosed;
  }
}

/** Names the chain of a message: its session and the number of its first message. */
function chainOf({ plan }: Town, { session, index }: Message): string {
  const { messages, speakers } = plan.script;
  const from = session * messages;
  let at = index;
  while (at > 0 && speakers[from + at - 1] === speakers[from + index]) at -= 1;
  return `${session}/${at}`;
}
