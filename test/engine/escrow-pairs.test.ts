import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleFieldPairs } from '../../src/engine/escrow-pairs.ts';
import doubleRatchet from '../../src/pipelines/double-ratchet.ts';
import escrowMessageKey from '../../src/pipelines/escrow-message-key.ts';
import { loadProvider } from '../conformance/_parts.ts';

test('what a field adds to a message is compared with the calls that it adds, and with those alone', async () => {
  const native = await loadProvider('native');
  const asked: string[] = [];
  const rawCall = (name: string): (() => void) => {
    asked.push(name);
    return () => undefined;
  };
  const escrowed = { pipeline: escrowMessageKey, options: { context: 'yes' } };
  const plain = { pipeline: doubleRatchet, options: {} };
  const { oursNs, rawNs, calls } = await sampleFieldPairs(native, escrowed, plain, rawCall, 3);
  assert.equal(oursNs.length, 3);
  assert.equal(rawNs.length, 3);
  // SHA-256 is what this library's HMAC is composed of; no encapsulation once the chain has begun.
  assert.deepEqual(calls, {
    'chacha20-poly1305-seal:168+32': 1,
    'hmac-sha256:1': 1,
    'sha256:65': 1,
    'sha256:96': 1,
  });
  assert.deepEqual(asked.toSorted(), Object.keys(calls).toSorted());
});
