import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nowNs } from '../../src/measure/clock.ts';
import { calibrateCpu, processCpuNs, readThreadCpuNs } from '../../src/measure/cpu.ts';

test('a busy loop uses CPU of its thread and of its process', () => {
  const processBeforeNs = processCpuNs();
  const beforeNs = readThreadCpuNs();
  const endNs = nowNs() + 20e6;
  while (nowNs() < endNs);
  const threadNs = readThreadCpuNs() - beforeNs;
  assert.ok(threadNs > 0);
  // The process's reading brackets the thread's, and both have the resolution of 1 us.
  assert.ok(processCpuNs() - processBeforeNs >= threadNs - 2_000);
});

test('an idle thread uses less CPU than time passes', async () => {
  const beforeNs = readThreadCpuNs();
  const startNs = nowNs();
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(readThreadCpuNs() - beforeNs < nowNs() - startNs);
});

test('CPU readings calibrate to a finite step and cost', () => {
  const { cpuStepNs, cpuReadNs } = calibrateCpu();
  assert.ok(Number.isFinite(cpuStepNs) && cpuStepNs > 0);
  assert.ok(Number.isFinite(cpuReadNs) && cpuReadNs > 0);
});

test('the process is read right before the thread, which brings the account up to date', (t) => {
  const calls: string[] = [];
  t.mock.method(process, 'cpuUsage', () => {
    calls.push('process');
    return { user: 900, system: 900 };
  });
  t.mock.method(process, 'threadCpuUsage', () => {
    calls.push('thread');
    return { user: 30, system: 4 };
  });
  assert.equal(readThreadCpuNs(), 34_000);
  assert.deepEqual(calls, ['process', 'thread']);
});

test('a clock that moves by the tick is reported as such, though the thread is switched out once', (t) => {
  const tickUs = 4_000;
  const startNs = nowNs();
  let switches = 0;
  t.mock.method(process, 'cpuUsage', () => ({ user: 0, system: 0 }));
  t.mock.method(process, 'threadCpuUsage', () => {
    const elapsedUs = (nowNs() - startNs) / 1e3;
    const user = Math.floor(elapsedUs / tickUs) * tickUs;
    // The switch, between two ticks, settles 5 us.
    if (elapsedUs - user > tickUs / 2) switches = 5;
    return { user: user + switches, system: 0 };
  });
  assert.ok(calibrateCpu().cpuStepNs >= tickUs * 1e3);
});
