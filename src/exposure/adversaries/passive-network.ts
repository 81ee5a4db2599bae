import type { ReadingAdversary } from '../adversary.ts';
import { evidenceOf } from '../evidence.ts';
import { readAsText } from '../layers.ts';
import { everyone, massMount, nobody } from './_everyone.ts';

/** A0: whoever records the wires between clients and relay, and has no key. */
const passiveNetwork: ReadingAdversary = {
  kind: 'reader',
  name: 'passive-network',
  id: 'A0',
  title: 'Passive network',
  gets: 'the records between clients and relay, their sizes and times; no key',
  holds: 'one record at a time',
  attack: (_facts, { frames }) => readAsText(frames),
  mounts(town) {
    const { recording, plan } = town;
    const evidence = evidenceOf(recording, 'network', { step: plan.seizedAfter });
    const isExpected = plan.pipeline.rung === 'L0' ? everyone : nobody;
    return [massMount('', evidence, {}, isExpected)];
  },
};

export default passiveNetwork;
