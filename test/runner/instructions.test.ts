/** What is read from callgrind's file; counting itself takes minutes. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { totalIn } from '../../src/runner/instructions.ts';

test('the total of all parts is the last one', () => {
  const text =
    'version: 1\nevents: Ir\nsummary: 120\n\nfn=(1) main\n1 20\n\ntotals: 345678901234\n';
  assert.equal(totalIn(text), 345_678_901_234);
  assert.equal(totalIn('events: Ir\nsummary: 7\n'), 7);
  assert.equal(totalIn(''), undefined);
});
