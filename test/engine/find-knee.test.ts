/** The search for saturation over a system whose capacity is known, on a clock of its own. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpenDrive } from '../../src/engine/drive-open.ts';
import { findKnee } from '../../src/engine/find-knee.ts';
import { Payload } from '../../src/engine/payload.ts';
import { Histogram } from '../../src/measure/histogram.ts';
import { createLive, LiveWriter, readLive } from '../../src/measure/live.ts';
import { copying, listener, script, TestClock } from './_copying-parties.ts';

const SERVICE_NS = 100_000;
const CAPACITY = 1e9 / SERVICE_NS;

const SATURATION = {
  p99Ms: 10,
  minPerSecond: 10,
  startPerSecond: 1_000,
  maxPerSecond: 1_000_000,
  windowSeconds: 0.6,
  resolution: 0.05,
};

function driveOn(clock: TestClock, serviceNs: number, live?: LiveWriter): OpenDrive {
  const { parties } = copying(clock, () => serviceNs);
  return new OpenDrive(parties, script, new Payload(1, 50), listener(clock).talk, clock, live);
}

void test('the rate that is found is just below what the system can serve', async () => {
  for (const seed of [1, 2, 3]) {
    const drive = driveOn(new TestClock(), SERVICE_NS);
    const { saturation, open } = await findKnee(drive, script, SATURATION, seed);
    const { end, windows } = saturation;
    assert.ok(end.kind === 'found', JSON.stringify(end));
    // Of a queue with random arrivals and equal services, 99 of 100 wait no longer at 98 %.
    assert.ok(end.load > 0.85 * CAPACITY && end.load < CAPACITY, `${end.load}/s`);
    assert.ok(end.above > end.load && end.above < end.load * 1.06, `${end.above}/s`);
    assert.ok(windows.isValid.every(Boolean));
    const confirming = windows.load.filter((load) => load === end.load).length;
    assert.ok(confirming > 3, 'it was measured again before it was accepted');
    assert.ok(open!.messages >= 3 * Math.round(end.load * SATURATION.windowSeconds));
    assert.ok(open!.messages % Math.round(end.load * SATURATION.windowSeconds) === 0);
    assert.ok(Histogram.decode(open!.service).max! <= SERVICE_NS * 1.001);
  }
});

void test('a system that is too slow for the lowest rate has none, and no times', async () => {
  const slow = { ...SATURATION, minPerSecond: 500, startPerSecond: 500 };
  const { saturation, open } = await findKnee(driveOn(new TestClock(), 4e6), script, slow, 1);
  assert.equal(saturation.end.kind, 'gave-up');
  assert.equal(open, undefined);
});

void test('a generator that always oversleeps is no system that is slow', async () => {
  const clock = new TestClock();
  clock.oversleepNs = 5e6;
  const { saturation } = await findKnee(driveOn(clock, SERVICE_NS), script, SATURATION, 1);
  assert.ok(saturation.end.kind === 'gave-up');
  assert.match(saturation.end.reason, /the generator itself fell behind/);
});

void test('who watches sees the window, its rate and the response times so far', async () => {
  const words = createLive();
  const live = new LiveWriter(words);
  const drive = driveOn(new TestClock(), SERVICE_NS, live);
  const { saturation } = await findKnee(drive, script, SATURATION, 1, live);
  const { search, response, messagesSent } = readLive([words]);
  const { load } = saturation.windows;
  assert.deepEqual(search, {
    window: load.length,
    windowsMax: 60,
    perSecond: Math.round(load.at(-1)!),
  });
  assert.ok(response!.p50Ns >= SERVICE_NS);
  const counts = load.map((perSecond) => Math.max(4_000, Math.round(perSecond * 0.6)));
  assert.equal(
    messagesSent,
    counts.reduce((sum, count) => sum + count, 0),
  );
});
