import { notMounted, type Leak, type Mount, type ReadingAdversary } from '../adversary.ts';
import { readWithLeak } from '../authority-reader.ts';
import type { Message } from '../evidence.ts';
import { readAsGhost } from '../ghost-reader.ts';
import { keyEncryptionKeyOf, openStored, readAsText } from '../layers.ts';
import type { Town } from '../town.ts';
import { userDayKeyOf } from '../user-days.ts';
import { DAY_MS, isReadable, isRetained, massMount, retained } from './_everyone.ts';

const ROTATIONS = [
  ['1d', 1],
  ['90d', 90],
  ['never', Infinity],
] as const;

/**
 * A3: the authority's key, or of a provider that reads the key of its store. Rotation is modelled by
 * what the leaked key was used for: no pipeline changes its authority's key.
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
        return [...ghostDevice(town), ...authorityKeys(town, [['never', Infinity]])];
      case 'E5':
        return [...masters(town), userDay(town)];
      default:
        return authorityKeys(town, pipeline.rung === 'C7' ? [['never', Infinity]] : ROTATIONS);
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

function authorityKeys(
  town: Town,
  rotations: readonly (readonly [label: string, days: number])[],
): Mount[] {
  const { world, seizedAtMs, plan, recording } = town;
  const keyEncryptionKey = keyEncryptionKeyOf(world.relay);
  const all = retained(town);
  const kept = isRetained(town);
  return rotations.map(([label, days]) => {
    const lifeMs = days * DAY_MS;
    const fromMs = Number.isFinite(days) ? Math.floor(seizedAtMs / lifeMs) * lifeMs : 0;
    const isUnderKey = ({ atMs }: { readonly atMs: number }): boolean =>
      atMs >= fromMs && atMs < fromMs + lifeMs;
    const evidence = Number.isFinite(days)
      ? { ...all, frames: all.frames.filter(isUnderKey) }
      : all;
    const leak = { keyEncryptionKey, authority: world.authority! };
    const opens = opensBy(town, (message) => kept(message) && isUnderKey(message));
    const { targets } = recording.facts;
    // Of what the end that does not comply says, what is answered opens.
    if (plan.options['both'] === 'yes') {
      return massMount(`rotation=${label}`, evidence, leak, undefined);
    }
    return massMount(`rotation=${label}`, evidence, leak, (message) =>
      plan.pipeline.rung === 'E0' ? false : message.session < targets && opens(message),
    );
  });
}

/** Which messages a key opens whose evidence is limited: some need what went before. */
function opensBy(
  town: Town,
  isGiven: (message: Message) => boolean,
): (message: Message) => boolean {
  const { pipeline, options, script } = town.plan;
  const messages = town.recording.messages;
  if (pipeline.rung === 'E7') {
    // The field is repeated until the first reply arrives: some frame with it must be given.
    const { speakers } = script;
    return (message) => {
      if (!isGiven(message)) return false;
      const from = message.session * script.messages;
      for (let at = from; speakers[at] === speakers[from] && at < from + script.messages; at++) {
        if (isGiven(messages[at]!)) return true;
      }
      return false;
    };
  }
  const isPerChain = pipeline.rung === 'E2' || options['context'] === 'yes';
  if (!isPerChain || options['repeat'] === 'every-frame') return isGiven;
  return (message) => isGiven(message) && isGiven(chainStart(town, message));
}

/** The first message of the chain, which carries its field. */
function chainStart({ recording, plan }: Town, { session, index }: Message): Message {
  const { messages, speakers } = plan.script;
  const from = session * messages;
  let at = index;
  while (at > 0 && speakers[from + at - 1] === speakers[from + index]) at -= 1;
  return recording.messages[from + at]!;
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
