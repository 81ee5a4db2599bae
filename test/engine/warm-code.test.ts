/** Code that warm-up had compiled is still there when something is timed. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { loadByName } from '../../src/core/discover.ts';
import { PIPELINES_DIR } from '../../src/core/paths.ts';
import type { Pipeline, World } from '../../src/pipelines/_pipeline.ts';
import { loadProvider, loadWorkload, runHere } from '../conformance/_parts.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

// V8 throws compiled code away when an object dies that the code refers to, and memory is read after a
// full collection, between warm-up and what is timed.
test('the world that warm-up saw last is alive while the measured one is', async () => {
  const pipeline = await loadByName<Pipeline>(PIPELINES_DIR, 'plaintext', 'pipeline');
  const worlds: WeakRef<World>[] = [];
  /** By world: whether the one before it was alive when it was opened. */
  const wasAlive: boolean[] = [];
  let firstWasAlive = true;
  const watched: Pipeline = {
    ...pipeline,
    async open(setup) {
      // What a weak reference was asked for stays alive until the turn of the event loop ends.
      await nextTurn();
      collect();
      wasAlive.push(worlds.at(-1)?.deref() !== undefined);
      firstWasAlive = worlds[0]?.deref() !== undefined;
      const world = await pipeline.open(setup);
      worlds.push(new WeakRef(world));
      return world;
    },
  };
  const workload = await loadWorkload('chat', { sessions: 4, messages: 6 });
  const facts = await runHere(watched, await loadProvider('null'), workload, {
    purpose: 'measure',
    randomness: 'os',
    warmupMs: 5,
  });
  assert.equal(facts.faults.count, 0);
  // After those of warm-up come the measured one and a counted one.
  assert.equal(wasAlive.length, facts.warmup.rounds + 2);
  assert.equal(wasAlive.at(-2), true);
  assert.equal(firstWasAlive, false, 'worlds that nobody refers to are collected');
});
