/** Figures of single operations, from facts that are computed by hand. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram } from '../../src/measure/histogram.ts';
import type { CrossCheckFacts } from '../../src/measure/operation-facts.ts';
import contaminatedShare from '../../src/metrics/contaminated-share.ts';
import crossCheck from '../../src/metrics/cross-check.ts';
import type { Metric, MetricInput } from '../../src/metrics/_metric.ts';
import primitiveCpu from '../../src/metrics/primitive-cpu.ts';
import primitiveRate from '../../src/metrics/primitive-rate.ts';
import primitiveTimerShare from '../../src/metrics/primitive-timer-share.ts';
import primitiveWall from '../../src/metrics/primitive-wall.ts';
import runDelayShare from '../../src/metrics/run-delay-share.ts';
import steadyState from '../../src/metrics/steady-state.ts';
import { histogramOf, operationOf, type WindowFixture } from '../report/operation-fixtures.ts';

function values(metric: Metric, input: Partial<MetricInput>): Record<string, number> {
  const figures = metric.derive({ shards: [], ...input });
  return Object.fromEntries(figures.map(({ kind, value }) => [kind, value]));
}

/** Of a repeat with these windows, four calls to a sample. */
function ofWindows(metric: Metric, ...windows: readonly WindowFixture[]): Record<string, number> {
  return values(metric, { operation: operationOf(windows, { callsPerSample: 4 }) });
}

test('the time of a call is the median sample over all windows, per call', () => {
  const { '': ns } = ofWindows(
    primitiveWall,
    { samplesNs: [400, 400] },
    { samplesNs: [480, 800, 1_200] },
  );
  assert.equal(ns, 120);
});

test('the CPU of a call is over all calls, and says whose CPU that is', () => {
  const windows = [
    { calls: 10, cpuNs: 1_000 },
    { calls: 30, cpuNs: 2_000 },
  ];
  assert.deepEqual(ofWindows(primitiveCpu, ...windows), { thread: 75 });
  const operation = operationOf(windows, {}, { cpuBasis: 'process' });
  assert.deepEqual(values(primitiveCpu, { operation }), { process: 75 });
});

test('calls per second are over all samples, slow ones too', () => {
  const { '': rate } = ofWindows(primitiveRate, { samplesNs: [400, 400, 1_600] });
  assert.equal(Math.round(rate!), 5_000_000);
});

test('the clock is a share of the median sample', () => {
  const operation = operationOf([{ samplesNs: [1_000] }], { timerOverheadNs: 50 });
  assert.deepEqual(values(primitiveTimerShare, { operation }), { '': 0.05 });
});

test('windows are disturbed by waiting, by steal and by a slow kernel, as blocks are', () => {
  const quiet = { cpuNs: 1_000, kernelCpuNs: 100 };
  const { '': share } = ofWindows(
    contaminatedShare,
    quiet,
    quiet,
    quiet,
    { ...quiet, runDelayNs: 11 },
    { ...quiet, stealTicks: 1 },
    { ...quiet, kernelCpuNs: 106 },
    { ...quiet, kernelCpuNs: 105, runDelayNs: 10 },
    quiet,
  );
  assert.equal(share, 3 / 8);
  assert.deepEqual(ofWindows(runDelayShare, { cpuNs: 900, runDelayNs: 100 }), { '': 0.1 });
});

function fifteenWindows(cost: (window: number) => number): WindowFixture[] {
  return Array.from({ length: 15 }, (_, window) => ({ calls: 10, cpuNs: 10 * cost(window) }));
}

test('a repeat whose calls become cheaper until its end has not settled', () => {
  const steady = ofWindows(steadyState, ...fifteenWindows(() => 100));
  assert.equal(steady['flat'], 1);
  const falling = ofWindows(steadyState, ...fifteenWindows((window) => 100 / (window + 1)));
  assert.equal(falling['never-settled'], 1);
});

const nothing = { runDelayNs: 0, wallNs: 1_000 };
function checked(
  rounds: readonly {
    readonly wallNs: number[];
    readonly cpuNs?: number[];
    readonly latencyNs?: number[];
    readonly theirs: number;
    readonly compared?: 'batches' | 'latency' | 'cpu';
  }[],
  parts: CrossCheckFacts['rounds'][number]['parts'] = {},
): Partial<MetricInput> {
  return {
    crossCheck: {
      primitive: 'x25519',
      bytes: 32,
      version: '1',
      tool: 'mitata',
      toolVersion: '1',
      oursFirst: true,
      rounds: rounds.map(({ wallNs, cpuNs = [], latencyNs = [], theirs, compared }) => ({
        ours: {
          ...nothing,
          batches: { callsPerBatch: 10, wallNs, cpuNs },
          latency: histogramOf(latencyNs),
          runDelayNs: 0,
        },
        theirs: {
          ...nothing,
          valueNs: theirs,
          statistic: '',
          compared: compared ?? 'batches',
          samples: 1,
          callsPerSample: 1,
          runDelayNs: 0,
        },
        parts,
      })),
    },
  };
}

test('what of ours is compared is of the kind of theirs, over rounds the geometric mean', () => {
  const round = { wallNs: [900, 1_000, 1_100], cpuNs: [800], latencyNs: [130], theirs: 100 };
  const both = (compared: 'batches' | 'latency' | 'cpu'): number =>
    Math.round(values(crossCheck, checked([{ ...round, compared }]))['ours']!);
  assert.deepEqual([both('batches'), both('latency'), both('cpu')], [100, 130, 80]);
  const two = values(crossCheck, checked([round, { ...round, wallNs: [4_000], theirs: 400 }]));
  assert.deepEqual([Math.round(two['ours']!), Math.round(two['theirs']!)], [200, 200]);
});

test('parts are there by their names', () => {
  const part = { callsPerBatch: 2, wallNs: [], cpuNs: [10, 20, 30] };
  const found = values(crossCheck, checked([{ wallNs: [1], theirs: 1 }], { import: part }));
  assert.equal(Math.round(found['part: import']!), 10);
});

test('of rounds whose ratio is far off as many are left out above as below', () => {
  const steady = { wallNs: [1_000], theirs: 100 };
  const slower = { wallNs: [9_000], theirs: 100 };
  const faster = { wallNs: [1_000], theirs: 400 };
  const found = values(crossCheck, checked([slower, steady, steady, faster]));
  assert.deepEqual([found['ours']!, found['theirs']!].map(Math.round), [100, 100]);
});

test('samples that were merged are those of the windows', () => {
  const encoded = histogramOf([5, 7]);
  assert.equal(Histogram.decode(encoded).count, 2);
});
