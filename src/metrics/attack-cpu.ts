import { attackKind, attackMetric } from './_exposure.ts';
import { figure, type Metric } from './_metric.ts';

/** Attacks that open everything themselves; others may share what one has opened. */
const TIMED = ['A5a', 'A7'];

const attackCpu: Metric = attackMetric(
  {
    name: 'attack-cpu',
    unit: 'ns',
    direction: 'neither',
    title: 'CPU of an attack per message that it recovers',
  },
  (attack) => {
    const recovered = attack.past.recovered + attack.future.recovered;
    if (!TIMED.includes(attack.id) || recovered === 0 || attack.cpuNs === 0) return [];
    return [figure(attack.cpuNs / recovered, { kind: attackKind(attack) })];
  },
);

export default attackCpu;
