import assert from 'node:assert/strict';
import test from 'node:test';
import { hint, nearest } from '../../src/core/nearest.ts';

void test('a word with a slip of the finger is recognised', () => {
  const known = ['plaintext', 'transport', 'double-ratchet'];
  assert.equal(nearest('plantext', known), 'plaintext');
  assert.equal(nearest('double-rachet', known), 'double-ratchet');
  assert.equal(nearest('Transport', known), 'transport');
});

void test('a word that resembles nothing gets all there are', () => {
  assert.equal(nearest('zebra', ['plaintext', 'transport']), undefined);
  assert.equal(hint('zebra', ['plaintext', 'transport']), 'there are: plaintext, transport');
  assert.equal(hint('zebra', []), 'there are none');
  assert.equal(nearest('a'.repeat(100_000), ['a'.repeat(99_999)]), undefined);
});
