/** What workers write into shared memory, and what somebody else reads there. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import * as fc from 'fast-check';
import { createLive, LiveWriter, readLive } from '../../src/measure/live.ts';

const EXPECTED = { openingNs: 500, firstNs: 300, messageNs: 100 };

test('what workers have done adds up, and the phase is that of the slowest', () => {
  const words = [createLive(), createLive()];
  const [one, two] = words.map((shared) => new LiveWriter(shared));
  one!.begin(10, 40, EXPECTED);
  two!.begin(20, 80, EXPECTED);
  assert.equal(readLive(words).phase, 'preparing');
  one!.opened(10);
  one!.batch('traffic', 15, 7e6);
  two!.opened(4);
  two!.batch('open', 0, 9e6);
  const view = readLive(words);
  assert.equal(view.phase, 'opening');
  assert.deepEqual([view.sessions, view.sessionsOpened], [30, 14]);
  assert.deepEqual([view.messages, view.messagesSent], [120, 15]);
  assert.deepEqual(view.cpuMs, [7, 9]);
  // 10 firsts come before the 5 others.
  assert.equal(view.workDone, 14 * 500 + 10 * 300 + 5 * 100);
  assert.equal(view.work, 30 * 500 + 30 * 300 + 90 * 100);
  assert.equal(view.send, undefined);
  one!.end();
  two!.end();
  assert.equal(readLive(words).phase, 'done');
});

test('percentiles are those of all calls of all workers, at most an eighth too high', () => {
  const values = fc.array(fc.double({ min: 1, max: 1e10, noNaN: true }), { minLength: 1 });
  const property = fc.property(values, values, (mine, others) => {
    const words = [createLive(), createLive()];
    new LiveWriter(words[0]!).latencies('receive', Float64Array.from(mine), mine.length);
    new LiveWriter(words[1]!).latencies('receive', Float64Array.from(others), others.length);
    const sorted = [...mine, ...others].sort((a, b) => a - b);
    const { send, receive } = readLive(words);
    assert.equal(send, undefined);
    for (const [share, found] of [
      [0.5, receive!.p50Ns],
      [0.99, receive!.p99Ns],
    ] as const) {
      const exact = sorted[Math.ceil(share * sorted.length) - 1]!;
      assert.ok(found >= exact * 0.999_999 && found <= exact * 1.126, `${found}, not ${exact}`);
    }
  });
  fc.assert(property, { seed: 3, numRuns: 200 });
});

test('another thread reads what a worker stores, and no message is sent', async () => {
  const words = createLive();
  const worker = new Worker(
    `const { workerData } = require('node:worker_threads');
     import(workerData.module).then(({ LiveWriter }) => {
       const live = new LiveWriter(workerData.words);
       live.begin(5, 9, { openingNs: 1, firstNs: 1, messageNs: 1 });
       live.opened(5);
       live.batch('traffic', 9, 3e6);
     });`,
    {
      eval: true,
      workerData: { module: import.meta.resolve('../../src/measure/live.ts'), words },
    },
  );
  worker.on('message', () => assert.fail('a message was sent'));
  await new Promise((resolve, reject) => worker.on('exit', resolve).on('error', reject));
  const { sessionsOpened, messagesSent, cpuMs } = readLive([words]);
  assert.deepEqual([sessionsOpened, messagesSent, cpuMs], [5, 9, [3]]);
});
