import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram } from '../../../src/measure/histogram.ts';
import { generatorFault } from '../../../src/relay/load/generator-health.ts';

/** Of 200 messages, 4 with the longer times. */
function readings(lagNs: number, responseNs: number): { lag: string; response: string } {
  const [lag, response] = [new Histogram(), new Histogram()];
  for (let message = 0; message < 200; message++) {
    lag.record(message < 4 ? lagNs : 1_000);
    response.record(message < 4 ? responseNs : 100_000);
  }
  return { lag: lag.encode(), response: response.encode() };
}

function faultOf(
  { lagNs = 1_000, responseNs = 2e6 },
  generator: Partial<Parameters<typeof generatorFault>[0]['generator']> = {},
): string | undefined {
  return generatorFault({
    append: {
      messages: 200,
      queued: 0,
      scheduledNs: 1e9,
      elapsedNs: 1e9,
      service: '',
      ...readings(lagNs, responseNs),
    },
    generator: { wallNs: 1e9, busyShare: 0.5, cpuNs: 1e9, runDelayNs: 0, ...generator },
  });
}

test('a driver that keeps time has no fault', () => {
  assert.equal(faultOf({}), undefined);
  assert.equal(faultOf({ lagNs: 0.9e6 }), undefined);
  assert.equal(faultOf({}, { runDelayNs: -1 }), undefined, 'nor one whose run delay is unknown');
});

test('a driver that is late is the bottleneck, unless what it waits for is far slower', () => {
  assert.match(faultOf({ lagNs: 1.5e6 })!, /fell behind: 1 message in 100 began 1\.5 ms/);
  assert.equal(faultOf({ lagNs: 1.5e6, responseNs: 100e6 }), undefined);
});

test('so is one that has no time left, or waits for a core', () => {
  assert.match(faultOf({}, { busyShare: 0.95 })!, /busy for 95 % of the time/);
  assert.match(faultOf({}, { runDelayNs: 0.06e9 })!, /waited for a core for 6 %/);
});
