import type { Mount, ReadingAdversary } from '../adversary.ts';
import { evidenceOf } from '../evidence.ts';
import { keyEncryptionKeyOf, openStored, readAsText } from '../layers.ts';
import { DAY_MS, isPast, isReadable, isRetained, massMount, nobody } from './_everyone.ts';

/** A2: a copy of the relay's database, without the key of its seals and with it. */
const relayAtRest: ReadingAdversary = {
  kind: 'reader',
  name: 'relay-at-rest',
  id: 'A2',
  title: 'Relay, at rest',
  gets: 'a copy of the database at the compromise; with keys=yes also the key-encryption key',
  holds: 'the data keys of the store and one frame at a time',
  attack(facts, evidence, leak) {
    const frames = openStored(facts, evidence, leak);
    return readAsText(
      frames.sort((a, b) => Number(a.kind === 'message') - Number(b.kind === 'message')),
    );
  },
  mounts(town) {
    const { recording, plan, world, seizedAtMs } = town;
    const { seizedAfter, pipeline, options, retentionDays } = plan;
    const fromMs = seizedAtMs - retentionDays * DAY_MS;
    const window = { step: seizedAfter, fromMs, toMs: seizedAtMs };
    const isSealed = options['rest'] !== 'none';
    const keyEncryptionKey = keyEncryptionKeyOf(world.relay);
    const past = isPast(town);
    const kept = isRetained(town);
    const mountOf = (withKeys: boolean, queue: boolean): Mount => {
      const opens = withKeys || !isSealed;
      const isRead = isReadable(town) || pipeline.rung === 'C7';
      const queued = new Set(
        evidenceOf(recording, 'relay-queue', window).frames.map(({ message }) => message),
      );
      const evidence = evidenceOf(recording, queue ? 'relay-queue' : 'relay-retention', window);
      const label = `keys=${withKeys ? 'yes' : 'no'}${queue ? ',recorder=relay-queue' : ''}`;
      return massMount(label, evidence, withKeys ? { keyEncryptionKey } : {}, (message) =>
        opens && isRead
          ? past(message) && (queue ? queued.has(message.id) : kept(message))
          : nobody(),
      );
    };
    return [mountOf(false, false), mountOf(true, false), mountOf(true, true)];
  },
};

export default relayAtRest;
