import { attackKind, attackMetric, shareFigure } from './_exposure.ts';
import type { Metric } from './_metric.ts';

/** The statistic is the distance in messages of the conversation: `at -3`, `at 0` the last before it. */
const recoveredAtOffset: Metric = attackMetric(
  {
    name: 'recovered-at-offset',
    unit: 'share',
    direction: 'lower',
    title: 'Messages that an attack recovers, by their distance from the seizure of the device',
  },
  (attack) => {
    const { curve } = attack;
    if (curve === undefined) return [];
    const reach = (curve.of.length - 1) / 2;
    return curve.of.flatMap((of, at) =>
      shareFigure(curve.recovered[at]!, of, attackKind(attack), `at ${at - reach}`),
    );
  },
);

export default recoveredAtOffset;
