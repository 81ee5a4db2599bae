/** Synthetic facts and records of single operations. */

import { Histogram } from '../../src/measure/histogram.ts';
import type { CrossCheckFacts, OperationFacts } from '../../src/measure/operation-facts.ts';
import type { RepeatRecord } from '../../src/results/record.ts';

export interface WindowFixture {
  readonly samplesNs?: readonly number[];
  readonly calls?: number;
  readonly cpuNs?: number;
  readonly wallNs?: number;
  readonly runDelayNs?: number;
  readonly stealTicks?: number;
  readonly kernelCpuNs?: number;
}

type Timed = NonNullable<OperationFacts['timed']>;

export function histogramOf(samplesNs: readonly number[]): string {
  const histogram = new Histogram();
  for (const ns of samplesNs) histogram.record(ns);
  return histogram.encode();
}

export function operationOf(
  windows: readonly WindowFixture[],
  timed: Partial<Timed> = {},
  changes: Partial<OperationFacts> = {},
): OperationFacts {
  return {
    primitive: 'sha256',
    bytes: 64,
    version: '1',
    source: 'library',
    inputs: 32,
    outputs: 5,
    knownAnswers: 4,
    awaited: false,
    cpuBasis: 'thread',
    timed: {
      callsPerSample: 1,
      timerOverheadNs: 0,
      timerWarnings: [],
      warmupNs: 1,
      windows: {
        samples: windows.map(({ samplesNs = [] }) => histogramOf(samplesNs)),
        calls: windows.map(({ calls = 1 }) => calls),
        wallNs: windows.map(({ wallNs = 1 }) => wallNs),
        cpuNs: windows.map(({ cpuNs = 1 }) => cpuNs),
        runDelayNs: windows.map(({ runDelayNs = -1 }) => runDelayNs),
        stealTicks: windows.map(({ stealTicks = -1 }) => stealTicks),
        kernelCpuNs: windows.map(({ kernelCpuNs = 0 }) => kernelCpuNs),
      },
      ...timed,
    },
    ...changes,
  };
}

/** A record of one repeat; what is not given is at nothing. */
export function operationRecord(
  names: { readonly primitive: string; readonly implementation: string; readonly workload: string },
  repeat: number,
  changes: Partial<RepeatRecord> = {},
): RepeatRecord {
  const { primitive, implementation, workload } = names;
  return {
    format: 1,
    cell: `mine/${primitive}/${implementation}/${workload}/t1`,
    suite: 'mine',
    pipeline: primitive,
    family: 'operation',
    rung: '',
    implementation,
    workload,
    threads: 1,
    repeat,
    order: repeat,
    seed: repeat,
    startedAt: new Date(Date.UTC(2026, 0, 1, 0, 0, repeat * 30)).toISOString(),
    status: 'ok',
    shards: [],
    ...changes,
  };
}

/** Ours and theirs for one call of a repeat, by batches. */
export function crossCheckOf(
  oursNs: number,
  theirsNs: number,
  changes: Partial<CrossCheckFacts> & {
    readonly parts?: CrossCheckFacts['rounds'][number]['parts'];
  } = {},
): CrossCheckFacts {
  const { parts = {}, ...rest } = changes;
  return {
    primitive: 'x25519',
    bytes: 32,
    version: '1',
    tool: 'mitata',
    toolVersion: '1.0.34',
    oursFirst: true,
    rounds: [
      {
        ours: {
          batches: { callsPerBatch: 1, wallNs: [oursNs], cpuNs: [oursNs] },
          latency: histogramOf([oursNs]),
          runDelayNs: 0,
          wallNs: 1_000,
        },
        theirs: {
          valueNs: theirsNs,
          statistic: 'p50 of something',
          compared: 'batches',
          samples: 12,
          callsPerSample: 4096,
          runDelayNs: 0,
          wallNs: 1_000,
        },
        parts,
      },
    ],
    ...rest,
  };
}
