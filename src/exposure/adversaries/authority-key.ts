import { notMounted, type Leak, type Mount, type ReadingAdversary } from '../adversary.ts';
import { readWithLeak } from '../authority-reader.ts';
import type { Message } from '../evidence.ts';
import { burstEnd } from '../expected.ts';
import { readAsGhost } from '../ghost-reader.ts';
import { keyEncryptionKeyOf, openStored, readAsText } from '../layers.ts';
import type { Town } from '../town.ts';
import { userDayKeyOf } from '../user-days.ts';
import { DAY_MS, isReadable, isRetained, massMount, nobody, retained } from './_everyone.ts';

const LONG_ROTATION_DAYS = 90;

/**
 * A3: the authority's key, or of a provider that reads the key of its store. With `rotation=1d` the
 * authority changed its key every day, and the one of the day of the compromise leaks; with
 * `old-keys=kept` also those before it, which it should have destroyed.
 */
const authorityKey: ReadingAdversary = {
  kind: 'reader',
  name: 'authority-key',
  id: 'A3',
  title: 'Authority key leaks',
  gets: 'the authority’s key, or the key of the provider’s store, and what the relay keeps',
  holds: 'per session the authority’s own state: two chains of each end',
  attack(facts, evidence, leak) {
    const frames = openStored(facts, evidence, leak);
    if (facts.pipeline.openAuthority === undefined) return readAsText(frames);
    if (leak.device !== undefined) return readAsGhost(facts, leak.device, frames);
    if (leak.periodKeys !== undefined) {
      const claims = leak.periodKeys.flatMap((key) => [
        ...readWithLeak(facts, frames, { authority: [key] }),
      ]);
      return new Map(claims);
    }
    return readWithLeak(facts, frames, leak);
  },
  mounts(town) {
    const { pipeline } = town.plan;
    if (isReadable(town)) return storeKeys(town);
    if (town.world.authority === undefined) {
      return notMounted('no-such-power', 'nobody holds a key that opens the messages of others');
    }
    switch (pipeline.rung) {
      case 'E4':
        return notMounted('no-such-power', 'no one holds the key: see A4');
      case 'E1':
        return [...ghostDevice(town), keyOfAllTime(town, 'never')];
      case 'E5':
        return [...masters(town), userDay(town)];
      default:
        return [keyOfAllTime(town, 'never'), ...longKey(town), ...dailyKeys(town)];
    }
  },
};

export default authorityKey;

/** L2 and L3: the key-encryption key, and one data key. */
function storeKeys(town: Town): readonly Mount[] | ReturnType<typeof notMounted> {
  const { options } = town.plan;
  if (options['rest'] === 'none') {
    return notMounted('no-such-power', 'nothing is sealed at rest, so there is no key to leak');
  }
  const evidence = retained(town);
  const keyEncryptionKey = keyEncryptionKeyOf(town.world.relay);
  const kept = isRetained(town);
  const mounts = [massMount('key=kek', evidence, { keyEncryptionKey }, kept)];
  const isScoped = options['rest'] === 'user-day';
  const day = Math.floor(town.seizedAtMs / DAY_MS);
  const owner = town.recording.facts.members.user(0, 1);
  const dataKey = openDataKey(town, isScoped ? owner : 0, isScoped ? day : 0);
  if (dataKey === undefined) return mounts;
  const { members } = town.recording.facts;
  const isUnderKey = (message: Message): boolean =>
    !isScoped ||
    (members.user(message.session, 1 - message.sender) === owner &&
      Math.floor(message.atMs / DAY_MS) === day);
  mounts.push(
    massMount('key=data', evidence, { dataKey }, (message) => kept(message) && isUnderKey(message)),
  );
  return mounts;
}

function openDataKey(town: Town, owner: number, keyId: number): Leak['dataKey'] {
  const found = town.recording.dataKeys.find((one) => one.owner === owner && one.keyId === keyId);
  if (found === undefined) return undefined;
  const context = new DataView(new ArrayBuffer(8));
  context.setUint32(0, owner);
  context.setUint32(4, keyId);
  const key = new Uint8Array(32);
  const aead = town.plan.provider.aead['chacha20-poly1305'];
  const kek = keyEncryptionKeyOf(town.world.relay);
  const { wrapped } = found;
  const isOpen = aead.open(
    key,
    kek,
    wrapped.subarray(0, 12),
    new Uint8Array(context.buffer),
    wrapped.subarray(12),
  );
  return isOpen ? { owner, keyId, key } : undefined;
}

/** The one key of an authority that keeps it. */
function keyOfAllTime(town: Town, rotation: string): Mount {
  const leak = {
    keyEncryptionKey: keyEncryptionKeyOf(town.world.relay),
    authority: town.world.authority!,
  };
  return massMount(
    `rotation=${rotation}`,
    retained(town),
    leak,
    opensBy(town, () => true),
  );
}

/** A key that lasts for longer than all that is recorded: no other ever takes its place. */
function longKey(town: Town): Mount[] {
  const lasts = ({ atMs }: Message): boolean => atMs < LONG_ROTATION_DAYS * DAY_MS;
  const isNeeded = town.rotated !== undefined && town.recording.messages.every(lasts);
  return isNeeded ? [keyOfAllTime(town, `${LONG_ROTATION_DAYS}d`)] : [];
}

/** A key that is another one every day. */
function dailyKeys({ rotated }: Town): Mount[] {
  if (rotated === undefined) return [];
  const { periodKeys, seizedAtMs, plan, world } = rotated;
  const keyEncryptionKey = keyEncryptionKeyOf(world.relay);
  const evidence = retained(rotated);
  const known = periodKeys.filter(({ fromMs }) => fromMs <= seizedAtMs);
  const { fromMs } = known.at(-1)!;
  const untilMs = fromMs + plan.keyLifeMs!;
  const mountOf = (label: string, keys: typeof known, sinceMs: number): Mount => ({
    ...massMount(
      `rotation=1d${label}`,
      evidence,
      { keyEncryptionKey, periodKeys: keys.map(({ secret }) => secret) },
      opensBy(rotated, (sealedAtMs) => sealedAtMs >= sinceMs && sealedAtMs < untilMs),
    ),
    town: rotated,
  });
  return [mountOf('', known.slice(-1), fromMs), mountOf(',old-keys=kept', known, 0)];
}

/**
 * Which messages open: those whose field was sealed to a key that leaked, and is kept.
 *
 * @param isUnderKey By the time at which a field was sealed.
 * @returns Undefined where no closed rule is known.
 */
function opensBy(town: Town, isUnderKey: (sealedAtMs: number) => boolean): Mount['isExpected'] {
  const { pipeline, options } = town.plan;
  const { facts } = town.recording;
  // Of what the end that does not comply says, what is answered opens.
  if (options['both'] === 'yes') return undefined;
  if (pipeline.rung === 'E0') return nobody;
  const isKept = isRetained(town);
  const leads = (message: Message): readonly Message[] => {
    if (pipeline.rung === 'E7') return firstBurst(town, message);
    const isPerChain = pipeline.rung === 'E2' || options['context'] === 'yes';
    if (!isPerChain) return [message];
    const chain = chainOf(town, message);
    return options['repeat'] === 'every-frame' ? chain : chain.slice(0, 1);
  };
  return (message) => {
    if (message.session >= facts.targets || !isKept(message)) return false;
    const carriers = leads(message);
    // What is repeated are the sealed bytes: the key is that of the first frame with the field.
    return carriers.some(isKept) && isUnderKey(carriers[0]!.atMs);
  };
}

/** The messages of a session until its first reply, each of which carries the field of E7. */
function firstBurst(town: Town, { session }: Message): readonly Message[] {
  return chainOf(town, town.recording.messages[session * town.plan.script.messages]!);
}

/** The messages of the chain of `message`, the first of which began it. */
function chainOf({ recording, plan }: Town, { session, index }: Message): readonly Message[] {
  const { messages, speakers } = plan.script;
  const from = session * messages;
  let first = index;
  while (first > 0 && speakers[from + first - 1] === speakers[from + index]) first -= 1;
  return recording.messages.slice(from + first, from + burstEnd(plan.script, session, index));
}

/** E1: the state of the ghost, and all that follows on its chains, which never turn. */
function ghostDevice(town: Town): Mount[] {
  const { seizedAuthority, plan, recording, world } = town;
  if (seizedAuthority === undefined) return [];
  const keyEncryptionKey = keyEncryptionKeyOf(world.relay);
  const leak = { keyEncryptionKey, device: seizedAuthority };
  const { targets } = recording.facts;
  const joins = Number(plan.options['joins']);
  return [
    massMount(
      'key=ghost-device',
      retained(town),
      leak,
      ({ session, index, step }) => session < targets && step > plan.seizedAfter && index >= joins,
    ),
  ];
}

/** E5: the master as it was at the leak; what it had forgotten by then stays shut. */
function masters(town: Town): Mount[] {
  const { world, seizedAtMs, plan } = town;
  const evidence = retained(town);
  const leak = {
    keyEncryptionKey: keyEncryptionKeyOf(world.relay),
    authority: world.authority!,
    authorityAtMs: seizedAtMs,
  };
  const firstDay = Math.floor(seizedAtMs / DAY_MS) - Number(plan.options['retention']);
  const kept = isRetained(town);
  return [
    massMount(
      'key=master',
      evidence,
      leak,
      (message) => kept(message) && Math.floor(message.atMs / DAY_MS) >= firstDay,
    ),
  ];
}

/** E5: the key of one user and day. */
function userDay(town: Town): Mount {
  const { world, seizedAtMs, recording } = town;
  const { members } = recording.facts;
  const user = members.user(0, 0);
  const day = Math.floor(seizedAtMs / DAY_MS);
  const leak = {
    keyEncryptionKey: keyEncryptionKeyOf(world.relay),
    userDays: [userDayKeyOf(town, user, day)],
  };
  return massMount('key=user-day', retained(town), leak, ({ session, atMs }) => {
    const isTheirs = [0, 1].some((member) => members.user(session, member) === user);
    return isTheirs && Math.floor(atMs / DAY_MS) === day;
  });
}
