/** The checksum that every timed call enters. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { SeededRandom } from '../../src/core/random.ts';
import { fold, type Call, type Prepared } from '../../src/primitives/operation.ts';
import { outputsSum, Turns } from '../../src/primitives/turns.ts';
import { echo, implementationOf } from './_fakes.ts';

const random = (): SeededRandom => new SeededRandom(1);

/** Calls that put out 1, 2, 3, ..., into one buffer. */
function prepared(
  inputs: number,
  change: (at: number, call: Call) => Call = (_, c) => c,
): Prepared {
  const out = new Uint8Array(3);
  const calls = Array.from({ length: inputs }, (_, at) => change(at, () => out.fill(at + 1)));
  return {
    awaited: false,
    calls,
    expected: Int32Array.from({ length: inputs }, (_, at) => fold(new Uint8Array(3).fill(at + 1))),
    comparable: true,
    confirm: async () => true,
  };
}

test('any number of calls, made in any portions, adds up', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 9 }),
      fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 6 }),
      async (inputs, portions) => {
        const turns = new Turns(prepared(inputs));
        for (const count of portions) {
          turns.make(count);
          turns.one();
        }
        await turns.check('it');
        const all = portions.reduce((sum, count) => sum + count + 1, 0);
        assert.equal(turns.made, all);
      },
    ),
  );
});

test('a sum beyond 32 bits adds up too', async () => {
  const turns = new Turns(prepared(200));
  turns.make(100_003);
  await turns.check('it');
});

test('a call that leaves the result of the one before in place is found', async () => {
  const idle = prepared(4, (at, call) => {
    const out = call();
    return at === 2 ? () => out : call;
  });
  const turns = new Turns(idle);
  turns.make(3);
  await assert.rejects(turns.check('it'), { code: 'WRONG_RESULT', message: /do not add up/ });
});

test('one wrong result among a thousand is found', async () => {
  let calls = 0;
  const wrong = prepared(4, (_, call) => () => {
    calls += 1;
    const out = call();
    if (calls === 777) out[0]! ^= 1;
    return out;
  });
  const turns = new Turns(wrong);
  turns.make(1_000);
  await assert.rejects(turns.check('it'), { code: 'WRONG_RESULT' });
});

test('two wrong results do not make up for each other', async () => {
  const turns = new Turns(
    prepared(4, (at, call) => () => {
      const out = call();
      // 1 becomes 0, and 2 becomes 3.
      return at < 2 ? out.fill(out[0]! ^ 1) : out;
    }),
  );
  turns.make(4);
  await assert.rejects(turns.check('it'), { code: 'WRONG_RESULT' });
});

test('a random output is confirmed with the input of the last call', async () => {
  const asked: number[] = [];
  const calls = prepared(3);
  const turns = new Turns({
    ...calls,
    expected: undefined,
    confirm: async (at, output) => {
      asked.push(at, output[0]!);
      return false;
    },
  });
  turns.make(5);
  await assert.rejects(turns.check('it'), { code: 'WRONG_RESULT', message: /cannot be undone/ });
  assert.deepEqual(asked, [1, 2]);
});

test('awaited calls take the same turns', async () => {
  const operation = echo();
  const implementation = {
    kind: 'webcrypto',
    name: 'webcrypto',
    version: '1',
    webCrypto: globalThis.crypto,
  } as const;
  const calls = await operation.prepare(implementation, 8, random());
  assert.equal(calls.awaited, true);
  const turns = new Turns(calls);
  await turns.makeAwaited(7);
  await turns.check('it');
  assert.equal(turns.made, 7);
});

test('the outputs of a pool are summed once each', async () => {
  const { expected } = await echo().prepare(await implementationOf('a'), 8, random());
  const sum = [1, 2, 3, 4].reduce((total, byte) => (total + fold(Uint8Array.of(byte))) | 0, 0);
  assert.equal(outputsSum(expected!), sum);
});
