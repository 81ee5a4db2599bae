import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveReport } from '../../src/measure/live.ts';
import { LiveText } from '../../src/report/live-text.ts';

const BEGUN: LiveReport = {
  phase: 'opening',
  sessions: 1_000_000,
  sessionsOpened: 100_000,
  messages: 4_000_000,
  messagesSent: 0,
  cpuMs: [10_000, 9_000],
  workDone: 10,
  work: 100,
  elapsedMs: 20_000,
  rssBytes: 500 * 2 ** 20,
};

test('a line tells sessions, rate, CPU by worker, memory and the end', () => {
  const live = new LiveText();
  assert.equal(live.of(BEGUN), '100,000 of 1,000,000 sessions, 500 MiB');
  const next = { ...BEGUN, sessionsOpened: 104_000, cpuMs: [11_900, 10_800], workDone: 14 };
  assert.equal(
    live.of({ ...next, elapsedMs: 22_000 }),
    '104,000 of 1,000,000 sessions (2,000/s), CPU 95 + 90 %, 500 MiB, ETA 43.0 s',
  );
});

test('messages take the place of sessions, with percentiles of single calls', () => {
  const live = new LiveText();
  live.of(BEGUN);
  const line = live.of({
    ...BEGUN,
    phase: 'traffic',
    messagesSent: 12_000,
    elapsedMs: 21_000,
    send: { p50Ns: 9_000, p99Ns: 20_000 },
    receive: { p50Ns: 14_000, p99Ns: 210_000 },
  });
  assert.match(
    line,
    /^12,000 of 4,000,000 messages \(12,000\/s\), send p50 9 us p99 20 us, receive p50 14 us p99 210 us, /,
  );
});

test('before anything is known there is no rate and no end', () => {
  const nothing = { ...BEGUN, sessions: 0, sessionsOpened: 0, workDone: 0, work: 0 };
  assert.equal(new LiveText().of(nothing), 'preparing, 500 MiB');
});

test('of a search the window is told, and no end', () => {
  const live = new LiveText();
  live.of(BEGUN);
  const line = live.of({
    ...BEGUN,
    phase: 'traffic',
    sessionsOpened: 400,
    messagesSent: 61_000,
    workDone: 0,
    work: 0,
    elapsedMs: 21_000,
    response: { p50Ns: 200_000, p99Ns: 9_000_000 },
    search: { window: 7, windowsMax: 60, perSecond: 12_300 },
  });
  assert.equal(
    line,
    'window 7 of at most 60 at 12,300/s, 61,000 messages (61,000/s), response p50 200 us p99 9 ms, CPU 0 + 0 %, 500 MiB',
  );
});
