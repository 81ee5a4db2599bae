import { sumSessions, sumWire } from './_bytes.ts';
import { figure, type Metric } from './_metric.ts';

/** Bytes that opening one session puts on the wire: its prekey bundle and its first frames. */
const handshakeBytes: Metric = {
  name: 'handshake-bytes',
  unit: 'B',
  direction: 'lower',
  title: 'Bytes on the wire to open a session',
  derive({ shards }) {
    const sessions = sumSessions(shards);
    if (sessions === 0) return [];
    const bundle = sumWire(shards).get('bundle') ?? 0;
    const frames = shards.reduce((sum, shard) => sum + shard.handshake.bytes, 0);
    return [
      figure(bundle / sessions, { kind: 'bundle' }),
      figure(frames / sessions, { kind: 'frames' }),
      figure((bundle + frames) / sessions, { kind: 'all' }),
    ];
  },
};

export default handshakeBytes;
