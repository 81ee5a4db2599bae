/**
 * What an open loop asks of a workload and of a suite, beyond their schemas.
 *
 * @module
 */

import { ARRIVALS_MAX } from '../workload/arrivals.ts';
import type { Workload } from '../workload/workload.ts';
import type { Suite } from './suite.ts';

/** All that keeps a workload from being carried by a schedule. */
export function openLoopProblems({ network, sessions, messages }: Workload): string[] {
  const problems: string[] = [];
  for (const key of ['loss', 'reorder', 'duplicate', 'outage'] as const) {
    if (network[key] === 0) continue;
    problems.push(
      `network.${key}: expected 0, as nothing is lost, late or doubled where messages come by a ` +
        `schedule, found ${network[key]}`,
    );
  }
  if (messages < 2) {
    problems.push(
      'messages: expected at least 2, as the first of each session comes before the schedule, ' +
        `found ${messages}`,
    );
  }
  if (sessions * messages > ARRIVALS_MAX) {
    problems.push(
      `sessions: expected at most ${ARRIVALS_MAX} messages in all by a schedule, found ` +
        `${sessions * messages}`,
    );
  }
  return problems;
}

/** What a search for saturation asks of a workload of its suite. */
export function saturationProblems(workload: Workload): string[] {
  if (workload.arrivals === undefined) return openLoopProblems(workload);
  return ['arrivals: expected none in a suite with "saturation", which chooses the rates'];
}

/** One search decides for one thread. */
export function saturationThreads({ saturation }: Suite, threads: number): string | undefined {
  if (saturation === undefined || threads === 1) return undefined;
  return `expected 1, as the suite searches the saturation of one thread, found ${threads}`;
}
