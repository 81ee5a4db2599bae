import type { AttackFacts } from '../measure/exposure-facts.ts';
import { attackKind, attackMetric } from './_exposure.ts';
import { figure, type Metric } from './_metric.ts';

const attackCpu: Metric = attackMetric(
  {
    name: 'attack-cpu',
    unit: 'ns',
    direction: 'neither',
    title: 'CPU of an attack per message that it recovers',
  },
  (attack) => {
    const recovered = attack.past.recovered + attack.future.recovered;
    if (!isTimed(attack) || recovered === 0 || attack.cpuNs === 0) return [];
    return [figure(attack.cpuNs / recovered, { kind: attackKind(attack) })];
  },
);

/** Whether it opens everything itself; the others may share what such an attack has opened. */
function isTimed({ id, label }: AttackFacts): boolean {
  return id === 'A7' || (id === 'A5a' && label === 'history=wiped');
}

export default attackCpu;
