/**
 * Figures of attacks, from the facts of a cell on which they were mounted.
 *
 * @module
 */

import type { AttackFacts, ExposureFacts } from '../measure/exposure-facts.ts';
import { figure, type Direction, type Figure, type Metric } from './_metric.ts';

/** `A5a:history=wiped`, or `A0`: what the column `kind` says of an attack. */
export function attackKind({ id, label }: { readonly id: string; readonly label: string }): string {
  return label === '' ? id : `${id}:${label}`;
}

/** One figure, unless it is a share of nothing. */
export function shareFigure(hits: number, of: number, kind: string, statistic: string): Figure[] {
  return of === 0 ? [] : [{ ...figure(hits / of, { kind }), statistic }];
}

/** A metric of every attack that read something. */
export function attackMetric(
  described: Omit<Metric, 'derive'>,
  derive: (attack: AttackFacts, facts: ExposureFacts) => Figure[],
): Metric {
  return {
    ...described,
    derive: ({ exposure }) =>
      exposure === undefined ? [] : exposure.attacks.flatMap((attack) => derive(attack, exposure)),
  };
}

/** A rate of adversaries who take part. */
export function rateMetric(name: string, title: string, direction: Direction): Metric {
  return {
    name,
    unit: 'share',
    direction,
    title,
    derive: ({ exposure }) =>
      (exposure?.played ?? [])
        .filter(({ rate }) => rate === name)
        .flatMap((one) => shareFigure(one.hits, one.of, attackKind(one), 'all')),
  };
}
