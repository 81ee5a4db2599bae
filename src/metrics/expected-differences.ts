import { attackKind, attackMetric } from './_exposure.ts';
import { figure, type Metric } from './_metric.ts';

const expectedDifferences: Metric = attackMetric(
  {
    name: 'expected-differences',
    unit: 'messages',
    direction: 'lower',
    title: 'Messages on which an attack and the expected table do not agree',
  },
  (attack) => {
    if (!attack.isJudged) return [];
    const { past, future } = attack;
    const differences = past.missing + past.unexpected + future.missing + future.unexpected;
    return [figure(differences, { kind: attackKind(attack) })];
  },
);

export default expectedDifferences;
