import { figure, type Metric } from './_metric.ts';

/**
 * What a warrant yields: of the messages that reached the receiver, in sessions under a warrant, those
 * that the authority recovered.
 *
 * What the network lost on its way to the receiver is in neither number, so that loss does not count
 * against an authority that had the evidence, nor for it.
 */
const recall: Metric = {
  name: 'recall',
  unit: 'share',
  direction: 'neither',
  title: 'Share of the delivered messages under a warrant that the authority recovered',
  derive({ shards }) {
    let delivered = 0;
    let recovered = 0;
    for (const { recovery } of shards) {
      delivered += recovery?.delivered ?? 0;
      recovered += recovery?.deliveredRecovered ?? 0;
    }
    return delivered === 0 ? [] : [figure(recovered / delivered, { role: 'authority' })];
  },
};

export default recall;
