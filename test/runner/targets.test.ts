/** Judging of samples that are made up: no time is measured here. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert as check, double, property } from 'fast-check';
import { HarnessError } from '../../src/core/errors.ts';
import type { RepeatSpec } from '../../src/engine/spec.ts';
import type { GrowthSamples } from '../../src/engine/recorder-growth.ts';
import type { LiveReport } from '../../src/measure/live.ts';
import type { MemoryFacts } from '../../src/measure/facts.ts';
import { attackQuestion } from '../../src/runner/attack-target.ts';
import {
  judgeOverhead,
  judgePairs,
  judgeRelay,
  judgeRecorder,
  judgeRetained,
  judgeWorkers,
  measureTargets,
  populationsOf,
  RECORDED_MESSAGES,
  SESSIONS_MAX,
  SESSIONS_MIN,
  TARGET_NAMES,
  type Instruments,
  type TargetName,
  type TargetSamples,
} from '../../src/runner/targets.ts';
import { SCALING_PAIRS } from '../../src/runner/worker-targets.ts';
import { shardOfCosts } from '../report/fixtures.ts';

/** Pairs of one ratio; their level drifts, as that of a machine with neighbours does. */
function pairsOf(ratio: number, count = 20): TargetSamples {
  const rawNs = Array.from({ length: count }, (_, pair) => 1_024 * 2 ** (pair % 3));
  return {
    oursNs: rawNs.map((ns) => ns * ratio),
    rawNs,
    calls: { 'sha256:65': 3, 'hmac-sha256:1': 2, x25519: 1 },
    // Of a batch half falls to either, whatever the level; the last one was disturbed.
    eachNs: { 'sha256:65': [10, 20, 10], x25519: [30, 60, 3_000] },
  };
}

/** Growth to `bytes`, half of it in the heap, and a little less in the end. */
function growthOf(bytes: number, messages = RECORDED_MESSAGES): GrowthSamples {
  const point = (share: number, grown: number): GrowthSamples['points'][number] => ({
    messages: messages * share,
    heapBytes: grown / 2,
    externalBytes: grown / 2,
  });
  return { batch: 50, points: [point(0.5, bytes), point(1, bytes - 2)], factsBytes: 1_000 };
}

const QUIET = {
  cpuNs: { value: 10, low: 5, high: 15 },
  latencyNs: { value: 80, low: 70, high: 90 },
  clockReadNs: 60,
  emptyCallNs: {},
};

const NOTHING: MemoryFacts = {
  heapUsedBytes: 0,
  externalBytes: 0,
  arrayBufferBytes: 0,
  wasmBytes: 0,
  rssBytes: 0,
};

function answerTo(question: unknown): TargetSamples | GrowthSamples {
  const { target } = question as { target: TargetName };
  if (target === 'recorder') return growthOf(500_000);
  return pairsOf(target === 'attack-key' ? 1.2 : 1.5);
}

/** A worker that carried 100 messages in a second, and a process that took 0.2 % of two of them. */
const WORKED = {
  startedNs: 0,
  endedNs: 1e9,
  cpuNs: 1e9,
  messages: { sent: 100, delivered: 100, refused: {}, lost: 0, recovered: 0 },
};
const HOSTED = { cpuNs: 0, mainCpuNs: 4e6, helperCpuNs: 0, wallNs: 0, rssPeakBytes: 0 };

/** Instruments by which everything is met: 500 B a session, and 1,000 B once. */
function instruments(changes: Partial<Instruments> = {}): Instruments {
  return {
    askChild: (_, question) => Promise.resolve({ answer: answerTo(question) }),
    calibrateOverhead: () => Promise.resolve(QUIET),
    runRepeat: ({ workload, threads }, _signal, { onLive } = {}) => {
      onLive?.({} as LiveReport);
      const after = {
        ...NOTHING,
        heapUsedBytes: 100 * workload.sessions,
        externalBytes: 400 * workload.sessions + 1_000,
        // Part of the external bytes, so adding them would count them twice.
        arrayBufferBytes: 400 * workload.sessions,
        rssBytes: 1e9,
      };
      const memory = { before: NOTHING, after };
      const costs = { sender: 1, relay: 1, receiver: 1 };
      const shard = { ...shardOfCosts(costs, { memory }), ...WORKED };
      const shards = Array.from({ length: threads }, () => shard);
      return Promise.resolve({ status: 'ok', shards, process: HOSTED });
    },
    measureRelayPairs: () =>
      Promise.resolve({
        oursNs: Array(12).fill(12),
        rawNs: Array(12).fill(10),
        busyShare: 0.97,
        repeated: 0,
      }),
    ...changes,
  };
}

const MEASURED = {
  names: TARGET_NAMES,
  sessions: 40_000,
  signal: new AbortController().signal,
  onStart: () => {},
};

test('a relay is judged by the median of the ratios within pairs', () => {
  const pairs = { oursNs: [12, 60, 13], rawNs: [10, 10, 10], busyShare: 0.95, repeated: 0 };
  const memory = judgeRelay('relay-memory', pairs);
  assert.deepEqual([memory.measured.value, memory.verdict], [1.3, 'missed']);
  assert.equal(judgeRelay('relay-durable', pairs).verdict, 'met');
  const even = { ...pairs, oursNs: [12.5, 12.5, 12.5] };
  assert.equal(judgeRelay('relay-memory', even).verdict, 'met');
});

test('a ratio is met up to its bound and missed beyond it', () => {
  assert.equal(judgePairs('ratchet', pairsOf(1.5)).verdict, 'met');
  assert.equal(judgePairs('ratchet', pairsOf(1.7)).verdict, 'missed');
  assert.equal(judgePairs('hpke', pairsOf(1.7)).verdict, 'met');
  assert.equal(judgePairs('hpke', pairsOf(1.9)).verdict, 'missed');
  assert.equal(judgePairs('attack-key', pairsOf(1.25)).verdict, 'met');
  assert.equal(judgePairs('attack-key', pairsOf(1.3)).verdict, 'missed');
});

test('a ratio is the median within pairs, whatever the level of each pair', () => {
  check(
    property(
      array(double({ min: 1, max: 1e6, noNaN: true }), { minLength: 20, maxLength: 60 }),
      (rawNs) => {
        const samples = { ...pairsOf(1), rawNs, oursNs: rawNs.map((ns) => ns * 1.25) };
        const { value, low, high } = judgePairs('ratchet', samples).measured;
        for (const ratio of [value, low, high]) assert.ok(Math.abs(ratio - 1.25) < 1e-9);
      },
    ),
  );
  // The median of ours over that of raw would be 4 here.
  const oursNs = Array.from({ length: 21 }, (_, pair) => (pair < 10 ? 1 : 4));
  const rawNs = Array.from({ length: 21 }, (_, pair) => (pair > 10 ? 4 : 1));
  assert.equal(judgePairs('ratchet', { ...pairsOf(1), oursNs, rawNs }).measured.value, 1);
});

test('every sample is kept, and the calls share the raw side of the pairs', () => {
  const made = pairsOf(1.5, 21);
  const { evidence } = judgePairs('ratchet', made);
  assert.ok(evidence.kind === 'pairs');
  assert.equal(evidence.rawNs.value, 2_048);
  const { oursNs, rawNs, eachNs } = made;
  assert.deepEqual(evidence.samples, { oursNs, rawNs, eachNs });
  assert.deepEqual(evidence.calls, [
    { name: 'sha256:65', count: 3, eachNs: 1_024 / 3 },
    { name: 'hmac-sha256:1', count: 2, eachNs: null },
    { name: 'x25519', count: 1, eachNs: 1_024 },
  ]);
});

test('samples that cannot decide are refused', () => {
  const enough = pairsOf(1.5);
  const refused: [TargetSamples, RegExp][] = [
    [pairsOf(1.5, 19), /at least 20 pairs, all above 0 ns, found 19 of 19/],
    [{ ...enough, rawNs: enough.rawNs.with(3, 0) }, /found 19 of 20/],
    [{ ...enough, rawNs: [...enough.rawNs, 5] }, /found 20 of 21/],
    [{ ...enough, oursNs: [...enough.oursNs, 5] }, /found 20 of 21/],
    [{ ...enough, calls: { x25519: 0.5 } }, /same calls for each message, found 0.5 of x25519/],
  ];
  for (const [samples, message] of refused) {
    assert.throws(() => judgePairs('ratchet', samples), { name: 'HarnessError', message });
  }
});

test('overhead is judged by the upper end of its interval', () => {
  const verdicts = (['overhead-cpu', 'overhead-latency'] as const).map((name) =>
    [20, 21, 90, 91].map((high) => {
      const estimate = { value: 0, low: 0, high };
      const samples = { ...QUIET, cpuNs: estimate, latencyNs: estimate };
      return judgeOverhead(name, samples).verdict;
    }),
  );
  assert.deepEqual(verdicts, [
    ['met', 'missed', 'missed', 'missed'],
    ['met', 'met', 'met', 'missed'],
  ]);
  assert.equal(judgeOverhead('overhead-latency', QUIET).measured, QUIET.latencyNs);
  assert.equal(judgeOverhead('overhead-cpu', QUIET).measured, QUIET.cpuNs);
});

test('the recorder is judged by its largest growth, in the heap and outside it together', () => {
  const verdicts = [999_999, 1_000_000].map((bytes) => judgeRecorder(growthOf(bytes)).verdict);
  assert.deepEqual(verdicts, ['met', 'missed']);
  assert.equal(judgeRecorder(growthOf(700)).measured.value, 700);
});

test('growth over fewer messages than asked for decides nothing', () => {
  for (const samples of [growthOf(1, RECORDED_MESSAGES - 1), { ...growthOf(1), points: [] }]) {
    assert.throws(() => judgeRecorder(samples), {
      name: 'HarnessError',
      message: /expected 10000000 recorded messages, found/,
    });
  }
});

test('retained memory is the slope over the populations, without what is there once', () => {
  const judged = [599, 601].map((bytes) =>
    judgeRetained(
      [1_024, 2_048, 4_096].map((sessions) => ({
        sessions,
        heapBytes: 5_000_000,
        externalBytes: bytes * sessions,
      })),
    ),
  );
  assert.deepEqual(
    judged.map(({ verdict, measured }) => [verdict, Math.round(measured.value)]),
    [
      ['met', 599],
      ['missed', 601],
    ],
  );
  const { evidence } = judged[0]!;
  assert.ok(evidence.kind === 'populations');
  assert.equal(Math.round(evidence.fixedBytes), 5_000_000);
});

test('all targets are measured, retained last, and overhead once for both', async () => {
  let calibrations = 0;
  const asked: unknown[] = [];
  const results = await measureTargets({
    ...MEASURED,
    names: TARGET_NAMES.toReversed(),
    instruments: instruments({
      askChild: (worker, question) => {
        asked.push([worker, question]);
        return Promise.resolve({ answer: answerTo(question) });
      },
      calibrateOverhead: () => {
        calibrations += 1;
        return Promise.resolve(QUIET);
      },
    }),
  });
  assert.deepEqual(
    results.map(({ name, verdict }) => [name, verdict]),
    TARGET_NAMES.map((name) => [name, 'met']),
  );
  assert.equal(TARGET_NAMES.at(-1), 'retained');
  assert.equal(calibrations, 1);
  assert.deepEqual(asked, [
    ['target', { target: 'ratchet' }],
    ['target', { target: 'hpke' }],
    ['target', { target: 'escrow-context' }],
    ['target', await attackQuestion()],
    ['target', { target: 'recorder', messages: 10_000_000, batch: 50, points: 10 }],
  ]);
});

test('retained opens three populations of the same users and counts each byte once', async () => {
  const specs: RepeatSpec[] = [];
  const started: [TargetName, number | undefined][] = [];
  const { runRepeat } = instruments();
  const [result] = await measureTargets({
    ...MEASURED,
    names: ['retained'],
    onStart: (name, sessions) => started.push([name, sessions]),
    instruments: instruments({
      runRepeat: (spec, signal) => {
        specs.push(spec);
        return runRepeat(spec, signal);
      },
    }),
  });
  assert.ok(result !== undefined && result.verdict !== 'failed');
  assert.ok(Math.abs(result.measured.value - 500) < 1e-6);
  assert.deepEqual(started, [
    ['retained', 10_000],
    ['retained', 20_000],
    ['retained', 40_000],
  ]);
  for (const { pipeline, provider, options, workload, threads, purpose } of specs) {
    assert.deepEqual(
      [pipeline, provider, threads, purpose],
      ['double-ratchet', 'native', 1, 'measure'],
    );
    assert.deepEqual([options['hop'], options['rest']], ['none', 'none']);
    assert.equal(workload.messages, 2);
    assert.equal(Math.round(workload.sessions * workload.usersPerSession), 2_000);
    assert.deepEqual(workload.network, {
      loss: 0,
      reorder: 0,
      reorderDepth: 3,
      duplicate: 0,
      outage: 0,
    });
  }
});

test('every population stays within what workloads allow', () => {
  for (const sessions of [SESSIONS_MIN, SESSIONS_MIN + 1, 399_999, SESSIONS_MAX]) {
    const populations = populationsOf(sessions);
    assert.equal(populations.at(-1), sessions);
    for (const population of populations) {
      assert.ok(Number.isInteger(population));
      assert.ok(2_000 / population >= 0.001 && 2_000 / population <= 2, `${population}`);
    }
  }
});

test('what cannot be measured has failed, with the reason, and the others are measured', async () => {
  const results = await measureTargets({
    ...MEASURED,
    instruments: instruments({
      askChild: (_, question) =>
        Promise.resolve(
          (question as { target: string }).target === 'ratchet'
            ? { died: 'was killed by SIGSEGV' }
            : { answer: { failure: 'sodium-native does not load' } },
        ),
      calibrateOverhead: () => Promise.reject(new HarnessError('WRONG_RESULT', 'no overhead')),
      runRepeat: () => Promise.resolve({ status: 'error', reason: 'out of memory', shards: [] }),
      measureRelayPairs: () => Promise.reject(new HarnessError('WRONG_RESULT', 'not saturated')),
    }),
  });
  assert.deepEqual(
    results.map((result) => [result.name, result.verdict === 'failed' ? result.reason : '']),
    [
      ['ratchet', 'its process was killed by SIGSEGV'],
      ['hpke', 'sodium-native does not load'],
      ['escrow-context', 'sodium-native does not load'],
      ['attack-key', 'sodium-native does not load'],
      ['overhead-cpu', 'no overhead'],
      ['overhead-latency', 'no overhead'],
      ['recorder', 'sodium-native does not load'],
      ['relay-memory', 'not saturated'],
      ['relay-durable', 'not saturated'],
      ['scaling', 't2: error: out of memory'],
      ['live-view', 't2: error: out of memory'],
      ['retained', 'with 10000 sessions: error: out of memory'],
    ],
  );
});

test('a mistake of ours is thrown and no failed target', async () => {
  const broken = instruments({ calibrateOverhead: () => Promise.reject(new TypeError('a bug')) });
  await assert.rejects(measureTargets({ ...MEASURED, instruments: broken }), TypeError);
});

test('an interruption keeps what is finished and drops what was under way', async () => {
  const controller = new AbortController();
  const results = await measureTargets({
    ...MEASURED,
    signal: controller.signal,
    onStart: (name) => {
      if (name === 'overhead-cpu') controller.abort();
    },
    instruments: instruments({
      // As when its child is killed.
      calibrateOverhead: () => Promise.reject(new HarnessError('WRONG_RESULT', 'killed')),
    }),
  });
  assert.deepEqual(
    results.map(({ name }) => name),
    ['ratchet', 'hpke', 'escrow-context', 'attack-key'],
  );
});

test('workers are judged by the median share, each target by its own bound', () => {
  assert.equal(judgeWorkers('scaling', { shares: [0.3, 0.04, -0.01] }).verdict, 'met');
  assert.equal(judgeWorkers('scaling', { shares: [0, 0.06, 0.06] }).verdict, 'missed');
  assert.equal(judgeWorkers('live-view', { shares: [0.011] }).verdict, 'missed');
  assert.equal(judgeWorkers('live-view', { shares: [0.009] }).verdict, 'met');
});

// The limit ends a wait for a process that never comes; the whole takes a tenth of a second.
const RENDEZVOUS = { timeout: 60_000 };

test('two workers are set beside two processes that run at once', RENDEZVOUS, async () => {
  const { runRepeat } = instruments();
  const started: number[] = [];
  let other: (() => void) | undefined;
  const [result] = await measureTargets({
    ...MEASURED,
    names: ['scaling'],
    instruments: instruments({
      async runRepeat(spec, signal, { onLive } = {}) {
        started.push(spec.threads);
        // A process ends only when its other one runs: one after the other would never end.
        if (spec.threads === 1 && other === undefined) {
          await new Promise<void>((resolve) => (other = resolve));
        } else {
          other?.();
          other = undefined;
        }
        const report = await runRepeat(spec, signal, { onLive });
        // Two workers in one process carry a tenth less.
        const shards = report.shards.map((shard) =>
          spec.threads === 2 ? { ...shard, endedNs: shard.endedNs / 0.9 } : shard,
        );
        return { ...report, shards };
      },
    }),
  });
  assert.deepEqual(started.slice(0, 6), [2, 1, 1, 1, 1, 2]);
  assert.equal(started.length, SCALING_PAIRS * 3);
  assert.ok(result!.verdict === 'missed' && Math.abs(result!.measured.value - 0.1) < 1e-9);
});

test('a repeat that nobody looked at says nothing of the view', async () => {
  const { runRepeat } = instruments();
  const [result] = await measureTargets({
    ...MEASURED,
    names: ['live-view'],
    instruments: instruments({ runRepeat: (spec, signal) => runRepeat(spec, signal) }),
  });
  assert.ok(result!.verdict === 'failed' && /before it was looked at/.test(result!.reason));
});
