import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryLimitBytes } from '../../src/core/system-memory.ts';

void test('a limit counts where it is lower than what the machine has', () => {
  assert.equal(memoryLimitBytes(64, 4), 4);
  assert.equal(memoryLimitBytes(64, 0), 64);
  assert.equal(memoryLimitBytes(64, 2 ** 63), 64);
  assert.ok(memoryLimitBytes() > 2 ** 20);
});
