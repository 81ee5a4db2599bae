import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { abandon, BarrierAbandoned, createBarrier, meetAll } from '../../src/measure/barrier.ts';

/** Runs `body` in a worker, with the barrier's functions and the given shared memory in scope. */
function startWorker(body: string, barrier: Int32Array, board: Int32Array): Worker {
  const source = `
    const { workerData: { barrier, board } } = require('node:worker_threads');
    import(${JSON.stringify(import.meta.resolve('../../src/measure/barrier.ts'))})
      .then(({ meetAll, abandon }) => { ${body} });`;
  return new Worker(source, { eval: true, workerData: { barrier, board } });
}

test('nobody passes before all are there, meeting after meeting', async () => {
  const parties = 3;
  const meetings = 200;
  const barrier = createBarrier();
  // board[0] counts arrivals of all meetings, board[1] who passed too early.
  const board = new Int32Array(new SharedArrayBuffer(8));
  const body = `
    for (let meeting = 1; meeting <= ${meetings}; meeting++) {
      Atomics.add(board, 0, 1);
      meetAll(barrier, ${parties});
      if (Atomics.load(board, 0) < meeting * ${parties}) Atomics.add(board, 1, 1);
    }`;
  const workers = Array.from({ length: parties }, () => startWorker(body, barrier, board));
  await Promise.all(workers.map((worker) => once(worker, 'exit')));
  assert.deepEqual([...board], [parties * meetings, 0]);
});

test('a party that fails releases those who wait, and those who come later', async () => {
  const barrier = createBarrier();
  const board = new Int32Array(new SharedArrayBuffer(4));
  const body = `
    try { meetAll(barrier, 3); } catch (error) {
      if (error.name === 'BarrierAbandoned') Atomics.add(board, 0, 1);
    }`;
  const workers = [startWorker(body, barrier, board), startWorker(body, barrier, board)];
  const exits = Promise.all(workers.map((worker) => once(worker, 'exit')));
  // Both have arrived, so at least one sleeps or is about to.
  while (Atomics.load(barrier, 0) < 2) await nextTurn();
  abandon(barrier);
  await exits;
  assert.equal(board[0], 2);
  assert.throws(() => meetAll(barrier, 3), BarrierAbandoned);
  assert.throws(() => meetAll(barrier, 1), BarrierAbandoned);
});

test('a single party does not wait', () => {
  const barrier = createBarrier();
  meetAll(barrier, 1);
  meetAll(barrier, 1);
});
