import { figure, type Metric } from './_metric.ts';
import { sumSent, sumWire } from './_bytes.ts';

/** Bytes given to the network per message sent, by what the frame is for. */
const wireBytes: Metric = {
  name: 'wire-bytes',
  unit: 'B',
  direction: 'lower',
  title: 'Bytes on the wire per message',
  derive({ shards }) {
    const sent = sumSent(shards);
    if (sent === 0) return [];
    return [...sumWire(shards)].map(([kind, bytes]) => figure(bytes / sent, { kind }));
  },
};

export default wireBytes;
