/** tinybench on clocks that move only when a call is made: what comes out is known exactly. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../src/core/random.ts';
import { Histogram } from '../../src/measure/histogram.ts';
import { operationFacts } from '../../src/measure/operation-facts.ts';
import { measureOperation } from '../../src/primitives/run-operation.ts';
import { timeCalls, type Timed } from '../../src/primitives/timing.ts';
import { Turns } from '../../src/primitives/turns.ts';
import {
  echo,
  fakeClocks,
  implementationOf,
  type FakeClockOptions,
  type FakeTime,
} from './_fakes.ts';

const PLAN = { warmupMs: 4, timedMs: 30, awaited: false };

interface Cost {
  readonly wallNs: number;
  readonly cpuNs: number;
}

async function timed(
  costOf: (call: number) => Cost,
  options: FakeClockOptions = {},
): Promise<Timed> {
  const time: FakeTime = { nowNs: 0, cpuNs: 0 };
  let calls = 0;
  const operation = echo(() => {
    const cost = costOf(calls++);
    time.nowNs += cost.wallNs;
    time.cpuNs += cost.cpuNs;
  });
  const prepared = await operation.prepare(await implementationOf('a'), 8, new SeededRandom(1));
  const turns = new Turns(prepared);
  const result = await timeCalls(turns, PLAN, fakeClocks(time, options));
  await turns.check('it');
  return result;
}

/** Median of the samples of each window, in ns. */
function mediansOf({ windows }: Timed): (number | undefined)[] {
  return windows.samples.map((samples) => Histogram.decode(samples).valueAtPercentile(50));
}

test('a short call is made so often that a sample lasts 50 us', async () => {
  const { callsPerSample, windows } = await timed(() => ({ wallNs: 1_000, cpuNs: 900 }));
  assert.equal(callsPerSample, 64);
  assert.deepEqual(windows.calls.length, 15);
  for (const calls of windows.calls) assert.equal(calls % 64, 0);
  windows.calls.forEach((calls, window) => {
    assert.equal(Math.round(windows.cpuNs[window]!), calls * 900);
    assert.equal(Math.round(windows.wallNs[window]!), calls * 1_000);
  });
});

test('a long call is a sample by itself', async () => {
  const result = await timed(() => ({ wallNs: 400_000, cpuNs: 400_000 }));
  assert.equal(result.callsPerSample, 1);
  for (const median of mediansOf(result)) {
    assert.ok(Math.abs(median! - 400_000) <= 400, `${median}`);
  }
});

test('the timed phase is as long as asked for, in windows of equal length', async () => {
  const { windows } = await timed(() => ({ wallNs: 10_000, cpuNs: 10_000 }));
  for (const ns of windows.wallNs) assert.ok(ns >= 2e6 && ns < 2.2e6, `${ns}`);
});

test('the clock is read once in each sample, and its cost is known', async () => {
  const readNs = 100;
  const { timerOverheadNs, callsPerSample, windows } = await timed(
    () => ({ wallNs: 10_000, cpuNs: 10_000 }),
    { readNs },
  );
  assert.equal(Math.round(timerOverheadNs), readNs);
  const sample = Histogram.decode(windows.samples[0]!).valueAtPercentile(50)!;
  const expected = callsPerSample * 10_000 + readNs;
  assert.ok(Math.abs(sample - expected) <= expected / 1_000, `${sample}`);
});

test('a call that becomes slow halfway is slow in the later windows only', async () => {
  const result = await timed((call) => {
    const ns = call < 300 ? 60_000 : 120_000;
    return { wallNs: ns, cpuNs: ns };
  });
  const medians = mediansOf(result);
  assert.ok(medians[0]! < 61_000 && medians[14]! > 119_000, medians.join(' '));
});

test('what the machine took from the thread stands beside each window', async () => {
  let delay = 0;
  const { windows } = await timed(() => ({ wallNs: 10_000, cpuNs: 10_000 }), {
    runDelayNs: () => (delay += 500),
    kernelNs: 777,
  });
  assert.deepEqual(new Set(windows.runDelayNs), new Set([500]));
  assert.deepEqual(new Set(windows.kernelCpuNs), new Set([777]));
  // The fake machine has no steal to tell of.
  assert.deepEqual(new Set(windows.stealTicks), new Set([-1]));
});

test('samples that are all the same are reported by tinybench', async () => {
  const { timerWarnings } = await timed(() => ({ wallNs: 10_000, cpuNs: 10_000 }));
  assert.ok(timerWarnings.length > 0);
});

test('a call that fails while it is timed fails the repeat', async () => {
  const time: FakeTime = { nowNs: 0, cpuNs: 0 };
  let calls = 0;
  const operation = echo(() => {
    time.nowNs += 100_000;
    time.cpuNs += 100_000;
    if (++calls === 60) throw new Error('the library broke');
  });
  const implementation = await implementationOf('a');
  const prepared = await operation.prepare(implementation, 8, new SeededRandom(1));
  await assert.rejects(timeCalls(new Turns(prepared), PLAN, fakeClocks(time)), /the library broke/);
});

test('awaited calls are timed by process CPU, and the facts are as the schema says', async () => {
  const time: FakeTime = { nowNs: 0, cpuNs: 0 };
  const operation = echo(() => {
    time.nowNs += 20_000;
    time.cpuNs += 30_000;
  });
  const implementation = {
    kind: 'webcrypto',
    name: 'webcrypto',
    version: '1',
    webCrypto: globalThis.crypto,
  } as const;
  const bases: string[] = [];
  const spec = { bytes: 8, seed: 1, purpose: 'measure', warmupMs: 4, timedMs: 30 } as const;
  const facts = await measureOperation(spec, operation, implementation, (basis) => {
    bases.push(basis);
    return fakeClocks(time);
  });
  assert.deepEqual(bases, ['process']);
  assert.deepEqual([facts.awaited, facts.cpuBasis], [true, 'process']);
  operationFacts.parse(JSON.parse(JSON.stringify(facts)));
  const { windows } = facts.timed!;
  assert.equal(Math.round(windows.cpuNs[0]! / windows.calls[0]!), 30_000);
});

test('nothing is timed where only the answers are asked for', async () => {
  const spec = { bytes: 8, seed: 1, purpose: 'verify', warmupMs: 4, timedMs: 30 } as const;
  const facts = await measureOperation(spec, echo(), await implementationOf('a'), () => {
    throw new Error('a clock was asked for');
  });
  assert.equal(facts.timed, undefined);
});
