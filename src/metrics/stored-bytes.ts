import { sumSent } from './_bytes.ts';
import { figure, type Metric } from './_metric.ts';

/** Bytes in the relay's mailboxes per message, with the seals the relay puts on them. */
const storedBytes: Metric = {
  name: 'stored-bytes',
  unit: 'B',
  direction: 'lower',
  title: 'Bytes the relay stores per message',
  derive({ shards }) {
    const sent = sumSent(shards);
    if (sent === 0) return [];
    const bytes = shards.reduce((sum, shard) => sum + shard.storedBytes, 0);
    return [figure(bytes / sent, { role: 'relay' })];
  },
};

export default storedBytes;
