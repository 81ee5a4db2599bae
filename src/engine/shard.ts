/**
 * One shard, start to finish, on this thread: warm-up, the barrier, the measured conversation, and a
 * small counted one afterwards.
 *
 * @module
 */

import { hrtime } from 'node:process';
import { Buffers } from './batch.ts';
import { FactsDigest } from './digest.ts';
import type { Conversation } from './conversation.ts';
import { OpenDrive } from './drive-open.ts';
import {
  isOpenLoop,
  planOpenLoop,
  runOpenLoop,
  runWithoutSchedule,
  type OpenPlan,
} from './open-loop.ts';
import { Payload } from './payload.ts';
import { isAsynchronous } from './async-client-loops.ts';
import { basisOf, openLive, type Live, type ShardParts } from './live-world.ts';
import { Recorder } from './recorder.ts';
import type { RepeatSpec } from './spec.ts';
import { countPrimitives } from '../crypto/counting.ts';
import { meetAll } from '../measure/barrier.ts';
import { waitAtGate } from '../measure/gate.ts';
import { calibrateClock, nowNs } from '../measure/clock.ts';
import { calibrateCpu, processCpuNs, readThreadCpuNs } from '../measure/cpu.ts';
import type { RecoveryFacts, ShardFacts, TimedId } from '../measure/facts.ts';
import { GcPauses } from '../measure/gc.ts';
import { LiveWriter, type ExpectedCosts, type LiveWords } from '../measure/live.ts';
import { readMemory } from '../measure/memory.ts';
import { longestMessage, writeScript, type Script } from '../workload/script.ts';

/** Plain data, from the repeat's process to one of its workers. */
export interface ShardTask {
  readonly spec: RepeatSpec;
  readonly shard: number;
  readonly firstSession: number;
  readonly sessions: number;
  /** Where the workers of a repeat meet before any clock of theirs runs. */
  readonly barrier: Int32Array<SharedArrayBuffer>;
  /** `process.hrtime()` of the repeat's start, in ns. */
  readonly originNs: number;
  /** Where this worker says how far it is; left out where nobody looks. */
  readonly live?: LiveWords;
}

/** What a worker answers. Not a thrown error, which would lose its code between threads. */
export type ShardAnswer =
  | { readonly facts: ShardFacts }
  | { readonly failure: { readonly code: string; readonly message: string } };

/** The cheapest stage of a batch should last this long: 75 times the CPU clock's step of 2 us. */
const SHORTEST_BATCH_NS = 150_000;
/** Frames of one batch in flight. */
const FLIGHT_BYTES_MAX = 2 ** 20;
const SMALLEST_BATCH = 16;
/** No call costs less; what is read below it is the clock's step. */
const CHEAPEST_CALL_NS = 20;
/** A batch of a verified run: fixed, because seeded random bytes are drawn in the order of calls. */
const VERIFY_BATCH = 16;
/** Of the first pass of warm-up, and of all for libraries, whose memory may not give back what it took. */
const WARMUP_SESSIONS = 8;
/** With more a pass is what a pipeline does, rather than opening worlds and recorders. */
const WARMUP_SESSIONS_MAX = 64;
/** A pass takes this share of the time at most, by what the one before took. */
const WARMUP_PASS_SHARE = 1 / 8;
const COUNTED_SESSIONS = 2;
const COUNTED_MESSAGES_MAX = 64;
const WARMUP_PASSES_MIN = 2;

interface Warm {
  readonly rounds: number;
  readonly wallNs: number;
  /** Messages per batch. */
  readonly batch: number;
  readonly expected: ExpectedCosts;
  /**
   * What the last pass was held over. Compiled code refers weakly to objects that it saw: a collection
   * after they died throws the code away, and what follows would be read cold.
   */
  readonly alive: unknown[];
}

const UNKNOWN_COSTS: ExpectedCosts = { openingNs: 0, firstNs: 0, messageNs: 0 };
const NOT_EXPECTED: ExpectedCosts = { openingNs: 1, firstNs: 1, messageNs: 1 };
/** Of a verified run, whose readings nobody uses. */
const NOT_WARM: Warm = {
  rounds: 0,
  wallNs: 0,
  batch: VERIFY_BATCH,
  expected: NOT_EXPECTED,
  alive: [],
};
const NOT_CALIBRATED = { clockStepNs: 0, clockReadNs: 0, cpuStepNs: 0, cpuReadNs: 0 };

/** Of the sessions of a workload whose sessions differ, where a few stand for all. */
const EVEN_MESSAGES = 24;

const WARMUP_STREAM = 0x7761_726d;
const COUNTED_STREAM = 0x636f_756e;

export async function runShard(task: ShardTask, parts: ShardParts): Promise<ShardFacts> {
  const { spec } = task;
  const verifying = spec.purpose === 'verify';
  const cpuBasis = basisOf(spec);
  const clocks = {
    cpuBasis,
    ...(verifying ? NOT_CALIBRATED : { ...calibrateClock(), ...calibrateCpu(cpuBasis) }),
  };
  const buffers = new Buffers();
  const warm = verifying ? NOT_WARM : await warmUp(task, parts, buffers, clocks.cpuReadNs);

  const script = scriptOf(task, parts, spec.seed, task.firstSession, task.sessions);
  const payload = new Payload(spec.seed, longestMessage(script));
  const live = task.live && new LiveWriter(task.live);
  const recorder = new Recorder(spec.repeat, cpuBasis, undefined, live);
  const digest = new FactsDigest();
  const gc = new GcPauses();
  const mayRecover = parts.pipeline.openAuthority !== undefined;
  buffers.resize(warm.batch, mayRecover ? script.lengths.length : 0);
  const openLoop = planOpenLoop(spec, script, task.shard);
  live?.begin(script.sessions, script.lengths.length, bySchedule(openLoop, warm.expected));
  const { rssBytes, heapResidentBytes, wasmBytes } = readMemory();
  let world: Live | undefined = await openLive(
    spec,
    task.shard,
    parts,
    script,
    payload,
    recorder,
    digest,
    warm.batch,
    buffers,
  );

  meetAll(task.barrier, spec.threads);
  if (spec.gate !== undefined) {
    if (task.shard === 0) waitAtGate(spec.gate);
    meetAll(task.barrier, spec.threads);
  }
  gc.start();
  const startedNs = sinceOrigin(task);
  const processBefore = processCpuNs();
  const cpuBefore = readThreadCpuNs();
  await world.conversation.open();
  const byOpenLoop =
    openLoop &&
    (await runOpenLoop(
      driveOf(world, script, payload, live),
      openLoop,
      script,
      spec,
      digest,
      live,
    ));
  if (openLoop === undefined) await world.conversation.run();
  const cpuNs = readThreadCpuNs() - cpuBefore;
  const processAfter = processCpuNs();
  const endedNs = sinceOrigin(task);
  live?.end();
  // What follows is not measured, and would disturb workers that are not done.
  meetAll(task.barrier, spec.threads);
  const gcFacts = await gc.stop();
  const after = readMemory();
  const { tally, expectations, recovery, storedKeys, connections } = outcomeOf(world, script);
  // All but the world, for what it retains is the difference: the engine's buffers and readings, for
  // a few hundred sessions the greater part, are in both. What is freed stays in the resident set,
  // and WebAssembly memories never shrink.
  world = undefined;
  const before = { ...readMemory(), rssBytes, heapResidentBytes, wasmBytes };

  const counted = await countCalls(task, parts);
  const { stages, blocks } = recorder.finish();
  // So these are alive in both readings of memory, and until nothing is read any more.
  buffers.outbox.clear();
  warm.alive.length = 0;
  return {
    shard: task.shard,
    sessions: task.sessions,
    users: script.users,
    connections,
    batch: warm.batch,
    shortBatches: recorder.shortestBatchNs() < SHORTEST_BATCH_NS,
    messages: {
      scripted: script.lengths.length,
      sent: tally.sent,
      delivered: tally.delivered,
      refused: tally.refused,
      lost: tally.lost,
      recovered: recovery?.valid ?? 0,
    },
    ...(recovery && openLoop === undefined && { recovery }),
    ...byOpenLoop,
    faults: { count: expectations.count, first: expectations.first },
    plaintextBytes: tally.plaintextBytes,
    wire: tally.wire,
    storedBytes: tally.storedBytes,
    storedKeys,
    handshake: tally.handshake,
    counted,
    // How many messages a search takes depends on the machine.
    digest: digest.finish(
      spec.saturation === undefined || openLoop === undefined
        ? [tally.wire, tally.storedBytes, counted.calls]
        : [counted.calls],
    ),
    stages,
    blocks,
    memory: { before, after },
    clocks,
    warmup: { rounds: warm.rounds, wallNs: warm.wallNs },
    gc: gcFacts,
    cpuNs,
    processCpu: { startNs: processBefore, endNs: processAfter },
    startedNs,
    endedNs,
  };
}

/** What is told of a conversation at its end; holds no part of the world, not even in a variable. */
function outcomeOf(
  { world: { clients, senders }, conversation: { tally, expectations, recovery } }: Live,
  script: Script,
): Pick<Conversation, 'tally' | 'expectations'> & {
  readonly recovery: RecoveryFacts | undefined;
  readonly storedKeys: number;
  readonly connections: number;
} {
  return {
    tally,
    expectations,
    recovery: recovery?.tally,
    storedKeys: isAsynchronous(clients) ? 0 : (clients.storedKeys?.() ?? 0),
    connections: script.users + (senders?.length ?? 0),
  };
}

function driveOf(
  { parties, conversation }: Live,
  script: Script,
  payload: Payload,
  live?: LiveWriter,
): OpenDrive {
  return new OpenDrive(parties, script, payload, conversation, undefined, live);
}

/**
 * Where messages come by a schedule, one takes what the schedule leaves between two; where a search
 * decides how many there are, the end is unknown.
 */
function bySchedule(plan: OpenPlan | undefined, expected: ExpectedCosts): ExpectedCosts {
  if (plan === undefined) return expected;
  const offsetsNs = plan.later?.offsetsNs;
  if (offsetsNs === undefined || offsetsNs.length === 0) return UNKNOWN_COSTS;
  const { openingNs } = expected;
  // Accepting a session takes about as long as opening it.
  return { openingNs, firstNs: openingNs, messageNs: offsetsNs.at(-1)! / offsetsNs.length };
}

/**
 * Runs whole conversations of other sessions until the time is up, then sizes the batches by what
 * the cheapest stage cost.
 */
async function warmUp(
  task: ShardTask,
  parts: ShardParts,
  buffers: Buffers,
  cpuReadNs: number,
): Promise<Warm> {
  const { spec } = task;
  const seed = spec.seed ^ WARMUP_STREAM;
  const even = evened(task);
  const wide = parts.pipeline.foreign === undefined ? WARMUP_SESSIONS_MAX : WARMUP_SESSIONS;
  const most = Math.min(wide, task.sessions);
  buffers.resize(most);
  const isOpen = isOpenLoop(spec);
  const startNs = nowNs();
  const ofSessions = (count: number): { readonly script: Script; readonly payload: Payload } => {
    const script = scriptOf(even, parts, seed, task.firstSession, count);
    return { script, payload: new Payload(seed, longestMessage(script)) };
  };
  let sessions = Math.min(WARMUP_SESSIONS, task.sessions);
  let { script, payload } = ofSessions(sessions);
  let rounds = 0;
  let cheapestNs = Infinity;
  let frameBytes = 1;
  let expected = NOT_EXPECTED;
  let alive: unknown[] = [];
  while (rounds < WARMUP_PASSES_MIN || nowNs() - startNs < spec.warmupMs * 1e6) {
    const passStartNs = nowNs();
    const recorder = new Recorder(rounds, basisOf(spec));
    const live = await openLive(
      spec,
      task.shard,
      parts,
      script,
      payload,
      recorder,
      new FactsDigest(),
      sessions,
      buffers,
    );
    const { conversation: talk } = live;
    alive = [live, script, payload, recorder];
    await talk.open();
    if (isOpen) await runWithoutSchedule(driveOf(live, script, payload), script);
    else await talk.run();
    recorder.finish();
    const costs = (['send', 'relay-store', 'relay-fetch', 'receive'] as const)
      .map((id) => recorder.meanCpuNs(id, cpuReadNs))
      .filter((cost) => cost !== undefined);
    cheapestNs = Math.max(CHEAPEST_CALL_NS, Math.min(...costs));
    expected = expectedCosts(recorder, cpuReadNs);
    const wire = talk.tally.wire['message'];
    if (wire !== undefined) frameBytes = wire.bytes / wire.frames;
    rounds += 1;
    const sessionNs = (nowNs() - passStartNs) / sessions;
    const affordable = Math.floor((spec.warmupMs * 1e6 * WARMUP_PASS_SHARE) / sessionNs);
    const next = Math.min(most, Math.max(sessions, affordable));
    if (next === sessions) continue;
    sessions = next;
    ({ script, payload } = ofSessions(sessions));
  }
  const wanted = Math.max(SMALLEST_BATCH, Math.ceil(SHORTEST_BATCH_NS / cheapestNs));
  const allowed = Math.max(1, Math.floor(FLIGHT_BYTES_MAX / frameBytes));
  const batch = Math.min(wanted, allowed, task.sessions);
  return { rounds, wallNs: nowNs() - startNs, batch, expected, alive };
}

function expectedCosts(recorder: Recorder, cpuReadNs: number): ExpectedCosts {
  const sum = (...ids: TimedId[]): number =>
    ids.reduce((total, id) => total + (recorder.meanCpuNs(id, cpuReadNs) ?? 0), 1);
  return {
    openingNs: sum('publish', 'initiate'),
    firstNs: sum('send', 'relay-store', 'relay-fetch', 'accept', 'hand-over', 'recover'),
    messageNs: sum('send', 'relay-store', 'relay-fetch', 'receive', 'hand-over', 'recover'),
  };
}

/** The same cell on a few sessions, over a provider that counts: after all timing, untimed. */
async function countCalls(task: ShardTask, parts: ShardParts): Promise<ShardFacts['counted']> {
  const { spec } = task;
  const { provider, counts } = countPrimitives(parts.provider);
  const calls: Record<string, Record<string, number>> = {};
  const recorder = new Recorder(0, 'thread', (id) => {
    if (id !== undefined) {
      const ofStage = (calls[id] ??= {});
      for (const [name, count] of counts) ofStage[name] = (ofStage[name] ?? 0) + count;
    }
    counts.clear();
  });
  const sessions = Math.min(COUNTED_SESSIONS, task.sessions);
  const seed = spec.seed ^ COUNTED_STREAM;
  const even = evened(task);
  const messages = Math.min(COUNTED_MESSAGES_MAX, even.spec.workload.messages);
  const shorter = { ...task, spec: { ...spec, workload: { ...even.spec.workload, messages } } };
  const script = scriptOf(shorter, parts, seed, task.firstSession, sessions);
  const payload = new Payload(seed, longestMessage(script));
  const counting = { ...parts, provider };
  const digest = new FactsDigest();
  const { conversation: talk } = await openLive(
    spec,
    task.shard,
    counting,
    script,
    payload,
    recorder,
    digest,
    VERIFY_BATCH,
  );
  counts.clear();
  await talk.open();
  await talk.run();
  recorder.finish();
  return { sessions, messages: talk.tally.sent, calls };
}

/** The same with sessions of one length that take turns. */
function evened(task: ShardTask): ShardTask {
  const { activity, trace, ...workload } = task.spec.workload;
  if (activity === undefined && trace === undefined) return task;
  const messages = Math.max(EVEN_MESSAGES, workload.messages);
  return { ...task, spec: { ...task.spec, workload: { ...workload, messages } } };
}

function scriptOf(
  task: ShardTask,
  parts: ShardParts,
  seed: number,
  first: number,
  sessions: number,
): Script {
  return writeScript(task.spec.workload, parts.behaviour, seed, first, sessions);
}

function sinceOrigin(task: ShardTask): number {
  const [seconds, ns] = hrtime();
  return seconds * 1e9 + ns - task.originNs;
}
