/**
 * One operation by our own batches and by another tool, in one process, in ABBA order.
 *
 * Ours is measured as stages of pipelines are: CPU batches have no clock inside, latency batches read
 * it once per call. Which of them take turns with the tool is what it measures: a median of batches,
 * of single calls, or CPU.
 *
 * @module
 */

import { HarnessError } from '../core/errors.ts';
import { SeededRandom } from '../core/random.ts';
import { Histogram } from '../measure/histogram.ts';
import type { BatchColumns, CrossCheckFacts } from '../measure/operation-facts.ts';
import { realClocks, type Clocks } from './clocks.ts';
import type { Implementation, Operation } from './operation.ts';
import type { OperationSpec } from './spec.ts';
import { grown } from './timing.ts';
import type { OpenTool, Tool } from './tool.ts';
import { Turns } from './turns.ts';

/** Long beside the CPU clock's step of 2 us, short beside a time slice of the kernel. */
const BATCH_NS = 1_000_000;
const CALLS_MIN = 16;
const CALLS_MAX = 2 ** 20;
/** The fastest counts, for the others were interrupted. */
const SIZING_ATTEMPTS = 3;
const PART_BATCHES = 100;
/** Draws of a stream of their own, so that inputs do not depend on the order. */
const ORDER_STREAM = 1;

type Round = CrossCheckFacts['rounds'][number];

export async function crossCheck(
  spec: Pick<OperationSpec, 'bytes' | 'seed' | 'purpose' | 'warmupMs' | 'timedMs'>,
  operation: Operation,
  implementation: Implementation,
  tool: Tool,
  clocks: Clocks = realClocks('thread'),
): Promise<CrossCheckFacts> {
  const { bytes, seed, purpose } = spec;
  const reason = operation.missing(implementation);
  if (reason !== undefined) throw new HarnessError('UNSUPPORTED', reason);
  const open = await tool.open(operation, implementation);
  await operation.prove(implementation);
  const prepared = await operation.prepare(implementation, bytes, new SeededRandom(seed));
  if (prepared.awaited) {
    throw new HarnessError('UNSUPPORTED', 'cross-checks are of operations that are synchronous');
  }
  const turns = new Turns(prepared);
  const oursFirst = new SeededRandom(seed, ORDER_STREAM).below(2) === 0;
  const rounds =
    purpose === 'verify' ? [] : await measureRounds(spec, turns, tool, open, oursFirst, clocks);
  await turns.check(`${operation.name} by ${implementation.name}`);
  return {
    primitive: operation.name,
    bytes,
    version: implementation.version,
    tool: tool.name,
    toolVersion: open.version,
    oursFirst,
    rounds,
  };
}

async function measureRounds(
  { warmupMs, timedMs }: Pick<OperationSpec, 'warmupMs' | 'timedMs'>,
  turns: Turns,
  { rounds: count, compared }: Tool,
  tool: OpenTool,
  oursFirst: boolean,
  clocks: Clocks,
): Promise<Round[]> {
  const endMs = clocks.nowMs() + warmupMs;
  while (clocks.nowMs() < endMs) turns.make(1);
  const calls = sizeOfBatch(turns.one, clocks);
  const parts = Object.entries(tool.parts ?? {}).map(([name, part]) => {
    return { name, part, calls: sizeOfBatch(part, clocks) };
  });
  clocks.collectGarbage();
  const rounds: Round[] = [];
  for (let round = 0; round < count; round++) {
    // Ours, theirs, theirs, ours, and so on: a steady drift meets both alike.
    const oursNow = oursFirst === (round % 2 === 0);
    const measuredParts = Object.fromEntries(
      parts.map(({ name, part, calls: perBatch }) => {
        return [name, batchesOf(part, perBatch, PART_BATCHES, clocks)];
      }),
    );
    const takeOurs = (): Round['ours'] =>
      measureOurs(turns.one, compared, calls, timedMs / count, clocks);
    const takeTheirs = async (): Promise<Round['theirs']> => {
      return { ...(await measureTheirs(turns.one, calls, tool, clocks)), compared };
    };
    if (oursNow) {
      const ours = takeOurs();
      rounds.push({ ours, theirs: await takeTheirs(), parts: measuredParts });
    } else {
      const theirs = await takeTheirs();
      rounds.push({ ours: takeOurs(), theirs, parts: measuredParts });
    }
  }
  return rounds;
}

function batchesOf(
  one: () => void,
  callsPerBatch: number,
  count: number,
  clocks: Clocks,
): BatchColumns {
  const batches: BatchColumns = { callsPerBatch, wallNs: [], cpuNs: [] };
  for (let batch = 0; batch < count; batch++) addBatch(one, batches, clocks);
  return batches;
}

/** Latency batches where single calls are compared, otherwise CPU batches, for about `timedMs`. */
function measureOurs(
  one: () => void,
  compared: Tool['compared'],
  calls: number,
  timedMs: number,
  clocks: Clocks,
): Round['ours'] {
  const batches: BatchColumns = { callsPerBatch: calls, wallNs: [], cpuNs: [] };
  const latenciesMs = new Float64Array(calls);
  const histogram = new Histogram();
  const delayBefore = clocks.readRunDelayNs();
  const startMs = clocks.nowMs();
  do {
    if (compared !== 'latency') {
      addBatch(one, batches, clocks);
      continue;
    }
    let beforeMs = clocks.nowMs();
    for (let call = 0; call < calls; call++) {
      one();
      const afterMs = clocks.nowMs();
      latenciesMs[call] = afterMs - beforeMs;
      beforeMs = afterMs;
    }
    for (const ms of latenciesMs) histogram.record(ms * 1e6);
  } while (clocks.nowMs() - startMs < timedMs);
  const wallNs = (clocks.nowMs() - startMs) * 1e6;
  const runDelayNs = grown(delayBefore, clocks.readRunDelayNs());
  return { batches, latency: histogram.encode(), runDelayNs, wallNs };
}

function addBatch(one: () => void, batches: BatchColumns, clocks: Clocks): void {
  const { callsPerBatch: calls } = batches;
  const cpuBefore = clocks.readCpuNs();
  const startMs = clocks.nowMs();
  for (let call = 0; call < calls; call++) one();
  const endMs = clocks.nowMs();
  batches.cpuNs.push(clocks.readCpuNs() - cpuBefore);
  batches.wallNs.push((endMs - startMs) * 1e6);
}

async function measureTheirs(
  one: () => void,
  calls: number,
  tool: OpenTool,
  clocks: Clocks,
): Promise<Omit<Round['theirs'], 'compared'>> {
  const delayBefore = clocks.readRunDelayNs();
  const startMs = clocks.nowMs();
  const { onThisThread, ...reading } = await tool.measure(one, calls);
  const wallNs = (clocks.nowMs() - startMs) * 1e6;
  const runDelayNs = onThisThread ? grown(delayBefore, clocks.readRunDelayNs()) : -1;
  return { ...reading, runDelayNs, wallNs };
}

/** A power of two with which a batch lasts {@link BATCH_NS}, at least 16. */
function sizeOfBatch(one: () => void, clocks: Clocks): number {
  for (let calls = CALLS_MIN; ; calls *= 2) {
    let fastestMs = Infinity;
    for (let attempt = 0; attempt < SIZING_ATTEMPTS; attempt++) {
      const startMs = clocks.nowMs();
      for (let call = 0; call < calls; call++) one();
      fastestMs = Math.min(fastestMs, clocks.nowMs() - startMs);
    }
    if (fastestMs * 1e6 >= BATCH_NS || calls >= CALLS_MAX) return calls;
  }
}
