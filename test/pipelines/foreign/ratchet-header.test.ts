import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  fieldsOf,
  innerMessageOf,
  ratchetHeaderOf,
  type RatchetHeader,
} from '../../../src/pipelines/foreign/_ratchet-header.ts';
import { ReceivedPositions } from '../../../src/pipelines/foreign/_received-positions.ts';
import { ForeignWorld, loadForeign } from './_foreign-world.ts';

const key = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const header = (fill: number, counter: number): RatchetHeader => ({
  ratchetKey: key(fill),
  counter,
});

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 0x80, ...varint(Math.floor(value / 128))];
}

test('whatever a peer sends, parsing it gives fields or nothing and never throws', () => {
  const noise = fc.uint8Array({ maxLength: 80 });
  fc.assert(
    fc.property(noise, (bytes) => {
      for (const field of fieldsOf(bytes) ?? []) assert.ok(Number.isSafeInteger(field.number));
      ratchetHeaderOf(bytes);
      innerMessageOf(bytes);
    }),
    { numRuns: 500, seed: 1 },
  );
});

test('fields are read back as they were written', () => {
  const field = fc
    .tuple(
      fc.integer({ min: 1, max: 2000 }),
      fc.oneof(fc.nat(2 ** 40), fc.uint8Array({ maxLength: 200 })),
    )
    .map(([number, value]) => ({ number, value }));
  fc.assert(
    fc.property(fc.array(field, { maxLength: 6 }), (fields) => {
      const bytes = fields.flatMap(({ number, value }) =>
        typeof value === 'number'
          ? [...varint(number * 8), ...varint(value)]
          : [...varint(number * 8 + 2), ...varint(value.length), ...value],
      );
      assert.deepEqual(fieldsOf(Uint8Array.from(bytes)), fields);
      assert.equal(fieldsOf(Uint8Array.from([...bytes, 0x80])), undefined);
    }),
    { numRuns: 100, seed: 2 },
  );
});

test('messages of both libraries say which number they have in which chain', async (context) => {
  for (const name of ['double-ratchet.libolm', 'triple-ratchet.libsignal']) {
    const world = await ForeignWorld.open(await loadForeign(name));
    if (world === undefined) return context.skip(`${name} is not installed`);
    await world.begin();
    const text = Uint8Array.of(9);
    const first = await world.send(0, 0, text);
    const inner = ratchetHeaderOf(innerMessageOf(first.subarray(1))!)!;
    assert.equal(inner.counter, 0, name);
    assert.deepEqual(await world.receive(0, 1, first), text);
    await world.exchange(0, 1, text);
    const chain: string[] = [];
    for (let i = 0; i < 200; i++) {
      const sent: Uint8Array = await world.send(0, 0, text);
      const read: RatchetHeader = ratchetHeaderOf(sent.subarray(1))!;
      assert.equal(read.counter, i, name);
      chain.push(read.ratchetKey.toHex());
    }
    assert.equal(new Set(chain).size, 1, name);
    assert.notEqual(chain[0], inner.ratchetKey.toHex(), name);
  }
});

test('positions are kept per end for five chains, the oldest going first', () => {
  const positions = new ReceivedPositions(2);
  for (let chain = 1; chain <= 5; chain++) positions.add(0, header(chain, chain * 10));
  positions.add(0, header(1, 4)); // Late: behind the latest.
  for (let chain = 1; chain <= 5; chain++) {
    assert.equal(positions.next(0, header(chain, 0)), chain * 10 + 1);
    assert.equal(positions.next(1, header(chain, 0)), 0);
  }
  positions.add(0, header(6, 0));
  assert.equal(positions.next(0, header(1, 0)), 0);
  assert.equal(positions.next(0, header(2, 0)), 21);
  assert.equal(positions.next(0, header(6, 0)), 1);
});
