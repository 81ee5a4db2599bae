/**
 * Finds a cheap stage beside a dear one: 100 us of work in `send` next to 5 ms in `receive`, as the
 * engine's CPU columns show it.
 *
 * This is the one place where a test looks at time. It may, because nothing is compared with a clock
 * on a wall or with a figure of another machine. The planted work is a spin of a fixed number of
 * steps, `send` does it once per batch and `receive` fifty times, so the long reading tells what the
 * short one must be: whatever a busy machine does to the speed of the processor hits both alike, in
 * the same block, a moment apart. Only CPU time of this thread is read, and medians of many blocks
 * are compared. A CPU clock that steps by 4 ms, as the plain reading of this thread's account does,
 * shows 0 for the short stage in most blocks and fails at once.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readThreadCpuNs } from '../../src/measure/cpu.ts';
import type { ShardFacts, TimedId } from '../../src/measure/facts.ts';
import type { Pipeline, World } from '../../src/pipelines/_pipeline.ts';
import { loadProvider, loadWorkload, runHere } from '../conformance/_parts.ts';

/** Messages of a batch: small, so that both stages of all blocks take half a second together. */
const BATCH = 8;
const ROUNDS = 80;
const SEND_NS = 100_000;
/** How many times the work of `send` is in `receive`: 5 ms. */
const RECEIVE_TIMES = 50;
const TOLERANCE = 0.2;

let sink = 1;

function spin(steps: number): void {
  let word = sink;
  for (let i = 0; i < steps; i++) {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
  }
  sink = word | 1;
}

/** By the CPU of 200 ms, in which a step of 4 ms would be 2 %. */
function stepsPerNs(): number {
  let steps = 0;
  const before = readThreadCpuNs();
  let cpuNs: number;
  do {
    for (let i = 0; i < 100; i++) spin(10_000);
    steps += 1_000_000;
    cpuNs = readThreadCpuNs() - before;
  } while (cpuNs < 200e6);
  return steps / cpuNs;
}

function copy(bytes: Uint8Array, out: Uint8Array): number {
  out.set(bytes);
  return bytes.length;
}

/** Carries plaintexts, and works for a fixed number of steps per message. */
function spinningPipeline(stepsPerSend: number): Pipeline {
  return {
    name: 'spinning',
    title: 'a planted cost in each stage',
    family: 'plaintext-relay',
    rung: 'side',
    specs: [],
    caveats: [],
    options: {},
    replayProtection: false,
    skipLimit: Infinity,
    open: ({ members }): World => ({
      relay: new Uint8Array(0),
      directory: new Uint8Array(0),
      clients: {
        connect: () => 0,
        publish: () => undefined,
        initiate: () => 0,
        send(session, member, plaintext, _atMs, outbox) {
          spin(stepsPerSend);
          outbox.reserve(plaintext.length).set(plaintext);
          outbox.emit(members.user(session, 1 - member), 'message', plaintext.length);
        },
        receive(_session, _member, frame, _atMs, out) {
          for (let i = 0; i < RECEIVE_TIMES; i++) spin(stepsPerSend);
          return copy(frame, out);
        },
        snapshot: () => new Uint8Array(0),
        keys: () => new Uint8Array(0),
      },
    }),
    openRelay: () => ({
      connect: () => 0,
      accept: (_from, _to, frame, _atMs, out) => copy(frame, out),
      deliver: (_to, stored, _atMs, out) => copy(stored, out),
      handOver: (_to, stored, out) => copy(stored, out),
    }),
  };
}

/** The median CPU of a stage over the blocks whose batch was whole. */
function medianNs({ stages }: ShardFacts, id: TimedId): number {
  const { calls, cpuNs } = stages.find((stage) => stage.id === id)!.cpu;
  const whole = cpuNs.filter((_, i) => calls[i] === BATCH).sort((a, b) => a - b);
  assert.ok(whole.length >= ROUNDS / 4, `${id} has ${whole.length} blocks read by CPU`);
  return whole[Math.floor(whole.length / 2)]!;
}

test('a stage of 100 us is found within 20 % beside one of 5 ms', async () => {
  const stepsPerSend = Math.round((stepsPerNs() * SEND_NS) / BATCH);
  const workload = await loadWorkload('one-way', {
    sessions: BATCH,
    usersPerSession: 1,
    messages: ROUNDS,
  });
  const facts = await runHere(
    spinningPipeline(stepsPerSend),
    await loadProvider('null'),
    workload,
    {
      purpose: 'measure',
      randomness: 'os',
    },
  );
  assert.equal(facts.batch, BATCH);
  const plantedNs = medianNs(facts, 'receive') / RECEIVE_TIMES;
  const foundNs = medianNs(facts, 'send');
  const words = `found ${foundNs} ns where ${plantedNs} ns were planted`;
  assert.ok(Math.abs(foundNs / plantedNs - 1) < TOLERANCE, words);
  // What was planted is of the order that it was meant to be: the calibration was not nonsense.
  assert.ok(plantedNs > SEND_NS / 3 && plantedNs < SEND_NS * 3, words);
});
