import { notMounted, type Mount, type ReadingAdversary } from '../adversary.ts';
import { readWithLeak } from '../authority-reader.ts';
import { keyEncryptionKeyOf, openStored, readAsText } from '../layers.ts';
import type { Town } from '../town.ts';
import { isReadable, isRetained, massMount, nobody, retained } from './_everyone.ts';

/** A7: an authority, or a provider, that uses its power on everyone's messages. */
const massDecryption: ReadingAdversary = {
  kind: 'reader',
  name: 'mass-decryption',
  id: 'A7',
  title: 'Mass use of the power',
  gets: 'all that the relay keeps, and the whole power of the authority or the provider',
  holds: 'per session the authority’s own state: two chains of each end',
  attack(facts, evidence, leak) {
    const frames = openStored(facts, evidence, leak);
    return facts.pipeline.openAuthority === undefined
      ? readAsText(frames)
      : readWithLeak(facts, frames, leak);
  },
  mounts(town) {
    const { world, plan } = town;
    const keyEncryptionKey = keyEncryptionKeyOf(world.relay);
    const kept = isRetained(town);
    const evidence = retained(town);
    if (world.authority === undefined) {
      const isExpected = isReadable(town) ? kept : nobody;
      return [timed(massMount('', evidence, { keyEncryptionKey }, isExpected))];
    }
    if (plan.pipeline.openAuthority === undefined) {
      return notMounted('unsupported', 'its authority cannot be opened');
    }
    const { targets } = town.recording.facts;
    const joins = Number(plan.options['joins'] ?? 0);
    const leak = { keyEncryptionKey, authority: enough(town) };
    const recovers = plan.pipeline.recovers !== 'none';
    // Of what the end that does not comply says, what is answered opens.
    if (plan.options['both'] === 'yes') return [timed(massMount('', evidence, leak, undefined))];
    const isExpected: Mount['isExpected'] = (message) =>
      recovers && kept(message) && message.session < targets && message.index >= joins;
    return [timed(massMount('', evidence, leak, isExpected))];
  },
};

export default massDecryption;

function timed(mount: Mount): Mount {
  return { ...mount, isTimed: true };
}

/** As many trustees as it takes. */
export function enough({ world, plan }: Town): readonly Uint8Array[] {
  const { rung } = plan.pipeline;
  return rung === 'E4'
    ? world.authority!.slice(0, Number(plan.options['threshold']))
    : world.authority!;
}
