import { sumSent } from './_bytes.ts';
import { figure, type Metric } from './_metric.ts';

/** What the network lost, and what the receiver refused because too many messages were missing. */
const undeliveredShare: Metric = {
  name: 'undelivered-share',
  unit: 'share',
  direction: 'neither',
  title: 'Share of messages that the network lost, or that were refused as too far ahead',
  derive({ shards }) {
    const sent = sumSent(shards);
    if (sent === 0) return [];
    const lost = shards.reduce((sum, { messages }) => sum + messages.lost, 0);
    const refused = shards.reduce(
      (sum, { messages }) => sum + (messages.refused['TOO_FAR'] ?? 0),
      0,
    );
    return [figure(lost / sent, { kind: 'lost' }), figure(refused / sent, { kind: 'refused' })];
  },
};

export default undeliveredShare;
