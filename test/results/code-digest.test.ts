import assert from 'node:assert/strict';
import test from 'node:test';
import { readCodeDigest } from '../../src/results/code-digest.ts';

void test('the code has a digest', async () => {
  assert.match(await readCodeDigest(), /^[0-9a-f]{64}$/);
});
