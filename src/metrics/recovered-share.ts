import { attackKind, attackMetric, shareFigure } from './_exposure.ts';
import type { Metric } from './_metric.ts';

const recoveredShare: Metric = attackMetric(
  {
    name: 'recovered-share',
    unit: 'share',
    direction: 'lower',
    title: 'Messages that an attack recovers, of those before and after the compromise',
  },
  (attack) => {
    const kind = attackKind(attack);
    return [
      ...shareFigure(attack.past.recovered, attack.past.of, kind, 'past'),
      ...shareFigure(attack.future.recovered, attack.future.of, kind, 'future'),
    ];
  },
);

export default recoveredShare;
