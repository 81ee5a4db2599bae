import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { calibrateClock, nowNs } from '../../src/measure/clock.ts';

test('the clock never goes back', () => {
  let beforeNs = nowNs();
  for (let i = 0; i < 10_000; i++) {
    const readNs = nowNs();
    assert.ok(readNs >= beforeNs);
    beforeNs = readNs;
  }
});

test('the clock calibrates to a positive step and cost', () => {
  const { clockStepNs, clockReadNs } = calibrateClock();
  assert.ok(Number.isFinite(clockStepNs) && clockStepNs > 0);
  assert.ok(Number.isFinite(clockReadNs) && clockReadNs > 0);
});

test('threads of a process share the origin of the clock', async () => {
  const beforeNs = nowNs();
  const source = `
    import(${JSON.stringify(import.meta.resolve('../../src/measure/clock.ts'))})
      .then(({ nowNs }) => require('node:worker_threads').parentPort.postMessage(nowNs()));`;
  const worker = new Worker(source, { eval: true });
  const [thereNs] = (await once(worker, 'message')) as [number];
  assert.ok(beforeNs <= thereNs && thereNs <= nowNs());
});
