import { figure, type Metric } from './_metric.ts';

/** A message of a target that is sent twice shows to whoever counts records on the wire. */
const fanOut: Metric = {
  name: 'fan-out',
  unit: 'records',
  direction: 'lower',
  title: 'Records on the wire per message, of conversations under a warrant and of others',
  derive({ exposure }) {
    const counts = exposure?.metadata?.fanOut;
    if (counts === undefined) return [];
    const { targetMessages, targetRecords, otherMessages, otherRecords } = counts;
    return [
      ...(targetMessages === 0
        ? []
        : [figure(targetRecords / targetMessages, { kind: 'targets' })]),
      ...(otherMessages === 0 ? [] : [figure(otherRecords / otherMessages, { kind: 'others' })]),
    ];
  },
};

export default fanOut;
