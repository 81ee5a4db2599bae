import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createReferenceKernel } from '../../src/measure/reference-kernel.ts';

test('every run of the reference kernel uses CPU', () => {
  const runKernel = createReferenceKernel();
  for (let i = 0; i < 20; i++) assert.ok(runKernel() > 0);
});
