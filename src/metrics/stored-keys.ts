import { figure, type Metric } from './_metric.ts';

/** What loss leaves behind in a ratchet: keys of messages that never came. */
const storedKeys: Metric = {
  name: 'stored-keys',
  unit: 'keys',
  direction: 'lower',
  title: 'Keys of skipped messages kept per session, when all is delivered',
  derive({ shards }) {
    const sessions = shards.reduce((sum, shard) => sum + shard.sessions, 0);
    const keys = shards.reduce((sum, shard) => sum + shard.storedKeys, 0);
    return sessions === 0 ? [] : [figure(keys / sessions, { kind: 'skipped' })];
  },
};

export default storedKeys;
