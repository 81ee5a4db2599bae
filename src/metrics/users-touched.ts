import { attackKind, attackMetric, shareFigure } from './_exposure.ts';
import type { Metric } from './_metric.ts';

const usersTouched: Metric = attackMetric(
  {
    name: 'users-touched',
    unit: 'share',
    direction: 'lower',
    title: 'Users of whose conversations an attack recovers a message, of all users',
  },
  (attack) => shareFigure(attack.usersTouched, attack.users, attackKind(attack), 'all'),
);

export default usersTouched;
