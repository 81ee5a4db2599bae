/**
 * How far a repeat is, in one line: read once a second by somebody who waits.
 *
 * @module
 */

import type { LiveLatency, LiveReport } from '../measure/live.ts';
import { formatQuantity } from './numbers.ts';
import { formatDuration } from './progress.ts';

/** Follows one repeat; rates and shares are of the time since the report before. */
export class LiveText {
  #before: LiveReport | undefined;
  /** The first report in which something was done: the end is foretold by what came after it. */
  #first: LiveReport | undefined;

  /** @param report Of the same repeat as the one before, and later. */
  of(report: LiveReport): string {
    const before = this.#before;
    this.#before = report;
    if (report.workDone > 0) this.#first ??= report;
    if (report.sessions === 0) return `preparing, ${formatQuantity(report.rssBytes, 'B')}`;
    const parts = [
      ...progressOf(report, before),
      latency('send', report.send),
      latency('receive', report.receive),
      latency('response', report.response),
      cpuShares(report, before),
      formatQuantity(report.rssBytes, 'B'),
      this.#eta(report),
    ];
    return parts.filter((part) => part !== '').join(', ');
  }

  #eta({ work, workDone, elapsedMs }: LiveReport): string {
    const first = this.#first;
    if (first === undefined || workDone <= first.workDone) return '';
    const perMs = (workDone - first.workDone) / (elapsedMs - first.elapsedMs);
    return `ETA ${formatDuration(Math.max(0, work - workDone) / perMs)}`;
  }
}

/** Sessions while they open, then messages, and of a search the window as well. */
function progressOf(report: LiveReport, before: LiveReport | undefined): readonly string[] {
  const { sessions, sessionsOpened, messages, messagesSent, search } = report;
  if (search !== undefined) {
    const { window, windowsMax, perSecond } = search;
    return [
      `window ${window} of at most ${windowsMax} at ${perSecond.toLocaleString('en')}/s`,
      `${messagesSent.toLocaleString('en')} messages${rate(report, before, 'messagesSent')}`,
    ];
  }
  return messagesSent === 0
    ? [`${ofAll(sessionsOpened, sessions)} sessions${rate(report, before, 'sessionsOpened')}`]
    : [`${ofAll(messagesSent, messages)} messages${rate(report, before, 'messagesSent')}`];
}

function ofAll(done: number, all: number): string {
  return `${done.toLocaleString('en')} of ${all.toLocaleString('en')}`;
}

function rate(
  report: LiveReport,
  before: LiveReport | undefined,
  count: 'sessionsOpened' | 'messagesSent',
): string {
  const seconds = secondsSince(report, before);
  if (seconds === undefined) return '';
  const perSecond = (report[count] - before![count]) / seconds;
  return ` (${Math.round(perSecond).toLocaleString('en')}/s)`;
}

function latency(stage: string, found: LiveLatency | undefined): string {
  if (found === undefined) return '';
  const { p50Ns, p99Ns } = found;
  return `${stage} p50 ${formatQuantity(p50Ns, 'ns')} p99 ${formatQuantity(p99Ns, 'ns')}`;
}

/** "CPU 98 + 99 %": of one core, by worker. */
function cpuShares(report: LiveReport, before: LiveReport | undefined): string {
  const seconds = secondsSince(report, before);
  if (seconds === undefined) return '';
  const shares = report.cpuMs.map((ms, worker) => {
    return Math.round((ms - before!.cpuMs[worker]!) / seconds / 10);
  });
  return `CPU ${shares.join(' + ')} %`;
}

function secondsSince(report: LiveReport, before: LiveReport | undefined): number | undefined {
  if (before === undefined || report.elapsedMs <= before.elapsedMs) return undefined;
  return (report.elapsedMs - before.elapsedMs) / 1e3;
}
