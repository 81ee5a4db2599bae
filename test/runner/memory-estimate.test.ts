import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireMemory } from '../../src/runner/memory-estimate.ts';

const GIB = 2 ** 30;

function cell(
  sessions: number,
  messages: number,
  threads = 1,
): Parameters<typeof requireMemory>[0] {
  return [{ cell: 'a/b/c/d/t1', workload: { sessions, messages }, threads }];
}

void test('what fits is not refused', () => {
  requireMemory(cell(1_000_000, 3), 4 * GIB);
  requireMemory(cell(400, 40, 2), GIB);
});

void test('what does not fit is refused with the number that would', () => {
  let fitting = 0;
  assert.throws(
    () => requireMemory(cell(10_000_000, 40), 8 * GIB),
    (error: Error & { code?: unknown }) => {
      assert.equal(error.code, 'BAD_INPUT');
      const said = /a\/b\/c\/d\/t1: .*this machine has 8\.0 GiB; about (\d+) sessions/.exec(
        error.message,
      );
      fitting = Number(said?.[1]);
      return true;
    },
  );
  assert.ok(fitting > 1_000_000);
  requireMemory(cell(fitting, 40), 8 * GIB);
  assert.throws(() => requireMemory(cell(fitting + 1000, 40), 8 * GIB));
});

void test('threads and messages count', () => {
  assert.throws(() => requireMemory(cell(1000, 40, 99), 8 * GIB));
  assert.throws(() => requireMemory(cell(100_000, 100_000), 8 * GIB));
});
