/**
 * What a measured repeat says that a world retains: all of the world, and nothing of the engine's.
 *
 * The child process collects garbage before each reading, so that the figures hardly vary: by some
 * tens of bytes per session. The bounds are far from both what is right and what was wrong.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadByName } from '../../src/core/discover.ts';
import { PIPELINES_DIR } from '../../src/core/paths.ts';
import type { Options, Pipeline } from '../../src/pipelines/_pipeline.ts';
import { RATCHET_STATE_BYTES } from '../../src/protocols/double-ratchet.ts';
import { runRepeat } from '../../src/runner/repeat.ts';
import type { RepeatReport } from '../../src/runner/repeat-report.ts';
import { ISOLATED, loadWorkload, optionsOf, specOf } from '../conformance/_parts.ts';

const SESSIONS = 200;
/** Enough more that what is there once drops out. */
const MORE_SESSIONS = 1_000;

/** One repeat with the two ends alone and two messages in each session. */
async function measure(
  name: string,
  sessions: number,
  changes: Options = {},
): Promise<RepeatReport> {
  const pipeline = await loadByName<Pipeline>(PIPELINES_DIR, name, 'pipeline');
  const spec = specOf({
    pipeline: name,
    provider: 'null',
    options: optionsOf(pipeline, { ...ISOLATED, ...changes }),
    workload: await loadWorkload('chat', { sessions, messages: 2 }),
    purpose: 'measure',
    randomness: 'os',
  });
  return runRepeat(spec, new AbortController().signal);
}

/** Heap, external memory and array buffers, which the external memory includes. */
async function retainedBytes(name: string, sessions: number): Promise<number> {
  const { status, reason, shards } = await measure(name, sessions);
  assert.deepEqual([status, reason], ['ok', undefined]);
  const { before, after } = shards[0]!.memory;
  const heapBytes = after.heapUsedBytes - before.heapUsedBytes;
  const externalBytes = after.externalBytes - before.externalBytes;
  assert.ok(after.arrayBufferBytes - before.arrayBufferBytes <= externalBytes);
  return heapBytes + externalBytes;
}

/** Of five processes: on a machine with other work a megabyte of the platform's own comes or goes in some. */
async function medianRetainedBytes(name: string, sessions: number): Promise<number> {
  const all: number[] = [];
  for (let i = 0; i < 5; i++) all.push(await retainedBytes(name, sessions));
  return all.toSorted((a, b) => a - b)[2]!;
}

test('plaintext retains next to nothing: the buffers of the engine are not in it', async () => {
  // One chunk of the engine's alone is 2 MiB, 10,000 B for each of these sessions.
  const bytes = (await retainedBytes('plaintext', SESSIONS)) / SESSIONS;
  assert.ok(bytes < 1500, `${bytes} B per session`);
});

test('a Double Ratchet retains its two ends, and not the buffers of the engine', async () => {
  const [few, more] = [
    await medianRetainedBytes('double-ratchet', SESSIONS),
    await medianRetainedBytes('double-ratchet', MORE_SESSIONS),
  ];
  assert.ok(few < 4_500 * SESSIONS, `${few / SESSIONS} B per session`);
  // A variable that still holds a part of the world would leave next to nothing of this.
  const bytes = (more - few) / (MORE_SESSIONS - SESSIONS);
  assert.ok(bytes > 2 * RATCHET_STATE_BYTES, `${bytes} B for another session`);
  assert.ok(bytes < 3_500, `${bytes} B for another session`);
});

test('libolm retains its sessions in WebAssembly memory, which does not shrink when they are freed', async (context) => {
  const { status, reason, shards } = await measure('double-ratchet.libolm', SESSIONS, {
    persist: 'packed',
  });
  if (status === 'unavailable') return context.skip(reason);
  assert.deepEqual([status, reason], ['ok', undefined]);
  const { before, after } = shards[0]!.memory;
  // Two objects of 3,320 B, and what the users' accounts take besides.
  const bytes = (after.wasmBytes - before.wasmBytes) / SESSIONS;
  assert.ok(bytes > 2 * 3_320 && bytes < 20_000, `${bytes} B per session`);
});
