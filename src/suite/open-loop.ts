/**
 * What an open loop asks of a workload and of a suite, beyond their schemas.
 *
 * @module
 */

import { HarnessError } from '../core/errors.ts';
import { messagesPerSession } from '../workload/activity.ts';
import { ARRIVALS_MAX } from '../workload/arrivals.ts';
import { unpackTrace } from '../workload/trace.ts';
import type { Workload } from '../workload/workload.ts';
import type { Suite } from './suite.ts';

/** What keeps a workload that has a schedule from being carried by it. */
export function openLoopProblems(workload: Workload): string[] {
  if (workload.arrivals === undefined) return [];
  if (workload.arrivals.pattern === 'recorded' && workload.trace === undefined) {
    return ['arrivals.pattern: expected "recorded" only beside a "trace"'];
  }
  return scheduleProblems(workload);
}

/** What a search for saturation asks of a workload of its suite. */
export function saturationProblems(workload: Workload): string[] {
  if (workload.arrivals === undefined) return scheduleProblems(workload);
  return ['arrivals: expected none in a suite with "saturation", which chooses the rates'];
}

/** What contradicts a trace. */
export function traceProblems({ trace, sessions, activity, graph, network }: Workload): string[] {
  if (trace === undefined) return [];
  const problems: string[] = [];
  if (sessions !== trace.sessions) {
    problems.push(`sessions: expected ${trace.sessions}, as in the trace, found ${sessions}`);
  }
  for (const [key, value] of Object.entries({ activity, graph })) {
    if (value !== undefined) problems.push(`${key}: expected none beside a trace`);
  }
  for (const key of ['loss', 'reorder', 'duplicate', 'outage'] as const) {
    if (network[key] === 0) continue;
    problems.push(`network.${key}: expected 0 beside a trace, found ${network[key]}`);
  }
  try {
    unpackTrace(trace);
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    problems.push(error.message);
  }
  return problems;
}

function scheduleProblems(workload: Workload): string[] {
  const { network, sessions, messages, trace } = workload;
  const problems: string[] = [];
  for (const key of ['loss', 'reorder', 'duplicate', 'outage'] as const) {
    if (network[key] === 0) continue;
    problems.push(
      `network.${key}: expected 0, as nothing is lost, late or doubled where messages come by a ` +
        `schedule, found ${network[key]}`,
    );
  }
  const isTooShort = trace === undefined ? messages < 2 : trace.messages === trace.sessions;
  if (isTooShort) {
    problems.push(
      'messages: expected at least 2, as the first of each session comes before the schedule, ' +
        `found ${messages}`,
    );
  }
  const expected = Math.ceil(sessions * messagesPerSession(workload));
  if (trace === undefined && expected > ARRIVALS_MAX) {
    problems.push(
      `sessions: expected at most ${ARRIVALS_MAX} messages in all by a schedule, found ${expected}`,
    );
  }
  return problems;
}

/** One search decides for one thread. */
export function saturationThreads({ saturation }: Suite, threads: number): string | undefined {
  if (saturation === undefined || threads === 1) return undefined;
  return `expected 1, as the suite searches the saturation of one thread, found ${threads}`;
}
