import { attackKind, attackMetric, shareFigure } from './_exposure.ts';
import type { Metric } from './_metric.ts';

const neverHealed: Metric = attackMetric(
  {
    name: 'never-healed',
    unit: 'share',
    direction: 'lower',
    title: 'Conversations of a seized device that are read to their end',
  },
  (attack) => {
    const { healing } = attack;
    if (healing === undefined) return [];
    const of = healing.both.length + healing.neverHealed;
    return shareFigure(healing.neverHealed, of, attackKind(attack), 'all');
  },
);

export default neverHealed;
