import type { RecoveryFacts } from '../measure/facts.ts';
import { figure, type Metric } from './_metric.ts';

const OUTCOMES = ['valid', 'decoy', 'failed'] as const satisfies (keyof RecoveryFacts)[];

/** What became of the frames that were handed to the authority, counted. */
const recoveries: Metric = {
  name: 'recoveries',
  unit: 'messages',
  direction: 'neither',
  title: 'Handed to the authority and opened to what was sent, to something else, or not at all',
  derive({ shards }) {
    const facts = shards.flatMap(({ recovery }) => (recovery === undefined ? [] : [recovery]));
    if (facts.length === 0) return [];
    return OUTCOMES.map((kind) => {
      const count = facts.reduce((sum, outcomes) => sum + outcomes[kind], 0);
      return figure(count, { role: 'authority', kind });
    });
  },
};

export default recoveries;
