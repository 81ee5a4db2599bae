import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { RunDelay, UNKNOWN } from '../../src/measure/run-delay.ts';

function open(t: TestContext, schedstat: string, stat: string): RunDelay {
  const folder = mkdtempSync(join(tmpdir(), 'sealbench-'));
  writeFileSync(join(folder, 'schedstat'), schedstat);
  writeFileSync(join(folder, 'stat'), stat);
  const runDelay = new RunDelay(join(folder, 'schedstat'), join(folder, 'stat'));
  t.after(() => {
    runDelay.close();
    rmSync(folder, { recursive: true });
  });
  return runDelay;
}

test('run delay and slices are the second and third number of schedstat', (t) => {
  const runDelay = open(t, '123456789012 34567890123 456\n', '');
  assert.deepEqual(runDelay.read(), { runDelayNs: 34567890123, slices: 456 });
  assert.deepEqual(runDelay.read(), { runDelayNs: 34567890123, slices: 456 });
});

test('steal is the eighth number of the first line, over all cores', (t) => {
  const runDelay = open(
    t,
    '',
    'cpu  10 20 30 40 50 60 70 8080 90 100\ncpu0 1 2 3 4 5 6 7 8 9 10\n',
  );
  assert.equal(runDelay.stealTicks(), 8080);
});

test('a number that ends with the file counts, one that is missing is unknown', (t) => {
  const runDelay = open(t, '1 2 3', 'cpu 1 2 3\ncpu0 4 5 6 7 8 9\n');
  assert.deepEqual(runDelay.read(), { runDelayNs: 2, slices: 3 });
  assert.equal(runDelay.stealTicks(), UNKNOWN);
});

test('where the kernel has no such files everything is unknown', () => {
  const runDelay = new RunDelay('/nowhere/schedstat', '/nowhere/stat');
  assert.deepEqual(runDelay.read(), { runDelayNs: UNKNOWN, slices: UNKNOWN });
  assert.equal(runDelay.stealTicks(), UNKNOWN);
  runDelay.close();
});

test('this thread was put on a core, and its readings never go back', (t) => {
  if (!existsSync('/proc/thread-self/schedstat')) return t.skip('not Linux');
  const runDelay = new RunDelay();
  const before = runDelay.read();
  const stealBefore = runDelay.stealTicks();
  assert.ok(before.slices > 0 && before.runDelayNs >= 0 && stealBefore >= 0);
  const after = runDelay.read();
  assert.ok(after.slices >= before.slices && after.runDelayNs >= before.runDelayNs);
  assert.ok(runDelay.stealTicks() >= stealBefore);
  runDelay.close();
});
