import { attackKind, attackMetric } from './_exposure.ts';
import { quantile, sortSamples } from '../stats/quantile.ts';
import { figure, type Figure, type Metric } from './_metric.ts';

/** Of conversations that heal within what was recorded; see never-healed for the others. */
const healingMessages: Metric = attackMetric(
  {
    name: 'healing-messages',
    unit: 'messages',
    direction: 'lower',
    title:
      'Messages after a seizure until the first that does not open, of those sent, received and of both',
  },
  (attack) => {
    const { healing } = attack;
    if (healing === undefined) return [];
    const kind = attackKind(attack);
    return [
      ...percentiles(`${kind},direction=sent`, healing.sent),
      ...percentiles(`${kind},direction=received`, healing.received),
      ...percentiles(`${kind},direction=both`, healing.both),
    ];
  },
);

export default healingMessages;

function percentiles(kind: string, messages: readonly number[]): Figure[] {
  if (messages.length === 0) return [];
  const sorted = sortSamples(messages);
  return (
    [
      ['p50', 0.5],
      ['p90', 0.9],
      ['max', 1],
    ] as const
  ).map(([statistic, share]) => ({ ...figure(quantile(sorted, share), { kind }), statistic }));
}
