/** What attacks share: it spares work, and changes no answer. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { utf8 } from '../../src/core/bytes.ts';
import { isNotMounted } from '../../src/exposure/adversary.ts';
import type { Frame } from '../../src/exposure/evidence.ts';
import { sharedOf, SharedReadings } from '../../src/exposure/shared-readings.ts';
import { adversaries, claimsOf, openTown } from './_towns.ts';

function frameOf(message: number, text: string): Frame {
  const filed = { session: 0, sender: 0, from: 0, to: 1, atMs: 0 } as const;
  return { message, kind: 'message', ...filed, bytes: utf8(text) };
}

describe('what was opened is opened once', () => {
  test('with the same keys and the same frames, in their order, and else again', () => {
    const shared = new SharedReadings();
    const [one, other] = [frameOf(0, 'one'), frameOf(1, 'other')];
    let opened = 0;
    const read = (keys: readonly unknown[], frames: readonly Frame[]): number => {
      const before = opened;
      const texts = shared.read(keys, frames, () => {
        opened += 1;
        return new Map([[0, utf8('text')]]);
      });
      assert.equal(texts.size, 1);
      return opened - before;
    };
    const key = {};
    assert.equal(read([key, 'k'], [one, other]), 1);
    assert.equal(read([key, 'k'], [{ ...one, bytes: one.bytes.slice() }, other]), 0, 'a copy');
    assert.equal(read([key, 'l'], [one, other]), 1, 'another key');
    assert.equal(read([{}, 'k'], [one, other]), 1, 'another object');
    assert.equal(read([key, 'k'], [other, one]), 1, 'another order');
    assert.equal(read([key, 'k'], [one]), 1, 'fewer frames');
    assert.equal(read([key, 'k'], [frameOf(0, 'two'), other]), 1, 'other bytes');
    shared.isTimed = true;
    assert.equal(read([key, 'k'], [one, other]), 1, 'an attack whose CPU counts');
  });

  test('by frame, also that it does not open', () => {
    const shared = new SharedReadings();
    const [one, other] = [frameOf(0, 'one'), frameOf(1, 'other')];
    assert.equal(shared.find('key', one), undefined);
    shared.keep('key', one, utf8('text'));
    shared.keep('key', other, undefined);
    assert.deepEqual(shared.find('key', { ...one, bytes: utf8('one') })?.text, utf8('text'));
    assert.ok(shared.find('key', other) !== undefined);
    assert.equal(shared.find('key', other)?.text, undefined);
    assert.equal(shared.find('another', one), undefined);
    assert.equal(shared.find('key', frameOf(0, 'two')), undefined);
    assert.equal(shared.find('key', { ...one, kind: 'escrow' }), undefined);
    shared.isTimed = true;
    assert.equal(shared.find('key', one), undefined);
  });
});

describe('every attack makes the same claims', () => {
  for (const [name, options] of [
    ['at-rest-scoped', {}],
    ['double-ratchet', {}],
    ['sealed-sender', {}],
    ['escrow-message-key', {}],
    ['escrow-partial', { bits: '4' }],
    ['escrow-warrant', {}],
  ] as const) {
    test(`on ${name}, after all others and alone`, async () => {
      const town = await openTown(name, { options, workload: { sessions: 5, messages: 8 } });
      for (const adversary of adversaries) {
        const mounts = adversary.kind === 'reader' ? adversary.mounts(town) : [];
        if (adversary.kind !== 'reader' || isNotMounted(mounts)) continue;
        for (const mount of mounts) {
          const alone = claimsOf(town, adversary, mount);
          const after = claimsOf(town, adversary, mount, sharedOf(mount.town ?? town));
          const label: string = `${adversary.id} ${mount.label}`;
          assert.deepEqual(sorted(after), sorted(alone), label);
        }
      }
    });
  }
});

function sorted(claims: ReadonlyMap<number, Uint8Array>): [number, string][] {
  return [...claims]
    .map(([message, text]): [number, string] => [message, text.toHex()])
    .sort(([a], [b]) => a - b);
}
