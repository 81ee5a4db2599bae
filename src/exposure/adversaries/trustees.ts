import { putUint16 } from '../../core/bytes.ts';
import { notMounted, type Mount, type ReadingAdversary } from '../adversary.ts';
import { readWithLeak } from '../authority-reader.ts';
import { keyEncryptionKeyOf, openStored } from '../layers.ts';
import type { Options } from '../../pipelines/_pipeline.ts';
import { isRetained, massMount, nobody, retained } from './_everyone.ts';

/** Conversations of each town on which too few try; each try costs what a success would. */
const CONVERSATIONS_OF_FEW = 2;

/** Where a trustee's secret says how many it takes. */
const THRESHOLD_AT = 2;

/**
 * A4: trustees who collude. Those who are too few try what they have: they combine their partial
 * decryptions as if they were enough.
 */
const trustees: ReadingAdversary = {
  kind: 'reader',
  name: 'trustees',
  id: 'A4',
  title: 'Trustees collude',
  gets: 'the secrets of some trustees, and what the relay keeps',
  holds: 'one frame at a time',
  attack(facts, evidence, leak) {
    const frames = openStored(facts, evidence, leak);
    const secrets = leak.authority!;
    const threshold = String(Math.min(secrets.length, Number(facts.options['threshold'])));
    const options: Options = { ...facts.options, threshold };
    const together = secrets.map((secret) => secret.slice());
    if (options['variant'] === 'threshold') {
      for (const secret of together) putUint16(secret, THRESHOLD_AT, Number(threshold));
    }
    return readWithLeak({ ...facts, options }, frames, { ...leak, authority: together });
  },
  mounts(town) {
    const { plan, world } = town;
    if (plan.pipeline.rung !== 'E4') {
      return notMounted('no-such-power', 'no power here is shared among trustees');
    }
    const k = Number(plan.options['threshold']);
    const keyEncryptionKey = keyEncryptionKeyOf(world.relay);
    const kept = isRetained(town);
    const { targets } = town.recording.facts;
    const mountOf = (count: number, label: string): Mount => {
      const all = retained(town);
      const isTried = ({ session }: { readonly session: number }): boolean =>
        count >= k || session < CONVERSATIONS_OF_FEW;
      const evidence = { ...all, frames: all.frames.filter(isTried) };
      const leak = { keyEncryptionKey, authority: world.authority!.slice(0, count) };
      const isExpected: Mount['isExpected'] =
        count < k ? nobody : (message) => kept(message) && message.session < targets;
      return { ...massMount(`trustees=${label}`, evidence, leak, isExpected), isInScope: isTried };
    };
    const few = k > 2 ? [mountOf(1, '1')] : [];
    return [...few, ...(k > 1 ? [mountOf(k - 1, 'k-1')] : []), mountOf(k, 'k')];
  },
};

export default trustees;
