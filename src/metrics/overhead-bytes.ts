import { sumSent, sumWire } from './_bytes.ts';
import { figure, type Figure, type Metric } from './_metric.ts';

const NOT_PER_MESSAGE: ReadonlySet<string> = new Set(['bundle', 'connect']);

/**
 * Bytes on the wire per message that are not its plaintext.
 *
 * Kind `message` is what message frames add; control and escrow frames are nothing but overhead.
 * What is paid once per session or connection is not here: bundles are in `handshake-bytes`.
 */
const overheadBytes: Metric = {
  name: 'overhead-bytes',
  unit: 'B',
  direction: 'lower',
  title: 'Bytes on the wire added per message',
  derive({ shards }) {
    const sent = sumSent(shards);
    if (sent === 0) return [];
    const plaintext = shards.reduce((sum, shard) => sum + shard.plaintextBytes, 0);
    const figures: Figure[] = [];
    let all = 0;
    for (const [kind, bytes] of sumWire(shards)) {
      if (NOT_PER_MESSAGE.has(kind)) continue;
      const added = kind === 'message' ? bytes - plaintext : bytes;
      all += added;
      figures.push(figure(added / sent, { kind }));
    }
    figures.push(figure(all / sent, { kind: 'all' }));
    return figures;
  },
};

export default overheadBytes;
