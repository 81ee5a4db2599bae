import { attackKind, attackMetric, shareFigure } from './_exposure.ts';
import type { Metric } from './_metric.ts';

const recallInScope: Metric = attackMetric(
  {
    name: 'recall-in-scope',
    unit: 'share',
    direction: 'higher',
    title: 'Messages that a warrant asks for and gets; read it beside over-exposure',
  },
  ({ id, label, warrant }) =>
    warrant === undefined
      ? []
      : shareFigure(warrant.askedForRecovered, warrant.askedFor, attackKind({ id, label }), 'all'),
);

export default recallInScope;
