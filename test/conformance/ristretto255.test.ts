/**
 * ristretto255 of every provider that has it: the vectors and refusals of RFC 9496, agreement with
 * each other, and the laws that proofs and threshold decryption stand on. The group of `null` has
 * other elements and refuses nothing: it is held to the laws only.
 */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { fromHex, toHex } from '../../src/core/bytes.ts';
import { listNames, loadByName } from '../../src/core/discover.ts';
import { PROVIDERS_DIR } from '../../src/core/paths.ts';
import { RefusedError, type PrimeGroup, type ProviderModule } from '../../src/crypto/provider.ts';
import { RISTRETTO255_MULTIPLES, RISTRETTO255_REFUSED } from '../vectors/ristretto255.ts';

/** ℓ, RFC 9496 §4.4. */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

type BinaryName =
  | 'scalarAdd'
  | 'scalarSubtract'
  | 'scalarMultiply'
  | 'multiply'
  | 'add'
  | 'subtract';

interface NamedGroup {
  readonly name: string;
  readonly group: PrimeGroup;
}

const groups: NamedGroup[] = [];
for (const name of await listNames(PROVIDERS_DIR)) {
  const module = await loadByName<ProviderModule>(PROVIDERS_DIR, name, 'provider');
  const group = (await module.load(['ristretto255'])).ristretto255;
  if (group !== undefined) groups.push({ name, group });
}
const real = groups.filter(({ name }) => name !== 'null');

test('libsodium, native and noble have it, node has not, and null has a stand-in', () => {
  const names = groups.map(({ name }) => name);
  assert.deepEqual(names, ['libsodium', 'native', 'noble', 'null']);
});

for (const { name: provider, group } of real) {
  describe(`${provider}: ristretto255, RFC 9496`, () => {
    const generator = multiple(group, 1n);
    const identity = new Uint8Array(32);

    test('A.1: the multiples of the generator, multiplied, added and subtracted', () => {
      for (let n = 1; n < RISTRETTO255_MULTIPLES.length; n++) {
        const [before, here] = [n - 1, n].map((i) => fromHex(RISTRETTO255_MULTIPLES[i]!));
        assert.deepEqual(multiple(group, BigInt(n)), here);
        assert.deepEqual(binary(group, 'multiply', bytesOf(BigInt(n)), generator), here);
        assert.deepEqual(binary(group, 'add', before!, generator), here);
        assert.deepEqual(binary(group, 'subtract', here!, generator), before);
      }
    });

    for (const { name, encodings } of RISTRETTO255_REFUSED) {
      test(`A.2: refuses ${name}`, () => {
        for (const encoding of encodings) {
          const bad = fromHex(encoding);
          const where = `${provider}: ${encoding}`;
          refused(() => binary(group, 'multiply', bytesOf(1n), bad), where);
          for (const combine of ['add', 'subtract'] as const) {
            refused(() => binary(group, combine, generator, bad), where);
            refused(() => binary(group, combine, bad, generator), where);
          }
        }
      });
    }

    test('refuses to multiply to the identity, and takes it as an addend', () => {
      const zero = bytesOf(0n);
      refused(() => multiple(group, 0n));
      refused(() => binary(group, 'multiply', zero, generator));
      refused(() => binary(group, 'multiply', bytesOf(3n), identity));
      refused(() => inverse(group, zero));
      assert.deepEqual(binary(group, 'add', identity, generator), generator);
      assert.deepEqual(binary(group, 'subtract', generator, identity), generator);
      assert.deepEqual(binary(group, 'subtract', generator, generator), identity);
    });

    test('refuses scalars that are not below the order', () => {
      const one = bytesOf(1n);
      assert.deepEqual(binary(group, 'scalarAdd', bytesOf(ORDER - 1n), one), bytesOf(0n));
      for (const value of [ORDER, ORDER + 1n, 2n ** 253n, 2n ** 256n - 1n]) {
        const bad = bytesOf(value);
        refused(() => binary(group, 'multiply', bad, generator));
        refused(() => multiple(group, value));
        refused(() => inverse(group, bad));
        for (const name of ['scalarAdd', 'scalarSubtract', 'scalarMultiply'] as const) {
          refused(() => binary(group, name, bad, one));
          refused(() => binary(group, name, one, bad));
        }
      }
    });
  });
}

test('all providers agree on ristretto255, and reduce scalars modulo its order', () => {
  assert.ok(real.length > 1);
  fc.assert(
    fc.property(exactly(64), exactly(64), (wideX, wideY) => {
      const results = real.map(({ group }) => {
        const [x, y] = [reduced(group, wideX), reduced(group, wideY)];
        const [xG, yG] = [base(group, x), base(group, y)];
        return [
          x,
          xG,
          inverse(group, x),
          binary(group, 'scalarAdd', x, y),
          binary(group, 'scalarSubtract', x, y),
          binary(group, 'scalarMultiply', x, y),
          binary(group, 'multiply', y, xG),
          binary(group, 'add', xG, yG),
          binary(group, 'subtract', xG, yG),
        ].map(toHex);
      });
      for (const result of results) assert.deepEqual(result, results[0]);
      assert.equal(results[0]![0], toHex(bytesOf(valueOf(wideX) % ORDER)));
    }),
    { numRuns: 10 },
  );
});

for (const { name, group } of groups) {
  describe(`${name}: the laws of a group of prime order`, () => {
    const scalar = exactly(64).map((wide) => reduced(group, wide));

    test('multiplication by scalars commutes, associates, distributes and inverts', () => {
      fc.assert(
        fc.property(scalar, scalar, (x, y) => {
          const [xG, yG] = [base(group, x), base(group, y)];
          const xyG = binary(group, 'multiply', y, xG);
          assert.deepEqual(binary(group, 'multiply', x, yG), xyG);
          assert.deepEqual(base(group, binary(group, 'scalarMultiply', x, y)), xyG);
          for (const [ofScalars, ofElements] of [
            ['scalarAdd', 'add'],
            ['scalarSubtract', 'subtract'],
          ] as const) {
            const combined = base(group, binary(group, ofScalars, x, y));
            assert.deepEqual(binary(group, ofElements, xG, yG), combined);
          }
          const back = binary(group, 'multiply', inverse(group, x), xG);
          assert.deepEqual(back, base(group, small(group, 1)));
        }),
        { numRuns: 8 },
      );
    });

    test('any 3 of 5 shares of a scalar, interpolated in the exponent, act as the scalar', () => {
      const trustees = fc.shuffledSubarray([1, 2, 3, 4, 5], { minLength: 3, maxLength: 3 });
      fc.assert(
        fc.property(scalar, scalar, scalar, scalar, trustees, (secret, a, b, e, chosen) => {
          const element = base(group, e);
          const parts = chosen.map((i) => {
            const share = shareOf(group, [secret, a, b], small(group, i));
            const part = binary(group, 'multiply', share, element);
            return binary(group, 'multiply', lagrange(group, i, chosen), part);
          });
          const sum = parts.reduce((left, right) => binary(group, 'add', left, right));
          assert.deepEqual(sum, binary(group, 'multiply', secret, element));
        }),
        { numRuns: 5 },
      );
    });
  });
}

/** The polynomial with these coefficients, lowest first, at `x`. */
function shareOf(
  group: PrimeGroup,
  coefficients: readonly Uint8Array[],
  x: Uint8Array,
): Uint8Array {
  return coefficients.reduceRight((sum, coefficient) =>
    binary(group, 'scalarAdd', binary(group, 'scalarMultiply', sum, x), coefficient),
  );
}

/** The product of j / (j - i) over the other trustees: the weight of trustee i at 0. */
function lagrange(group: PrimeGroup, i: number, trustees: readonly number[]): Uint8Array {
  return trustees
    .filter((j) => j !== i)
    .map((j) => {
      const difference = binary(group, 'scalarSubtract', small(group, j), small(group, i));
      return binary(group, 'scalarMultiply', small(group, j), inverse(group, difference));
    })
    .reduce((left, right) => binary(group, 'scalarMultiply', left, right));
}

function refused(call: () => unknown, where?: string): void {
  assert.throws(call, (error) => error instanceof RefusedError, where);
}

function exactly(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length });
}

function binary(group: PrimeGroup, name: BinaryName, a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(32);
  group[name](out, a, b);
  return out;
}

function base(group: PrimeGroup, scalar: Uint8Array): Uint8Array {
  const out = new Uint8Array(32);
  group.multiplyBase(out, scalar);
  return out;
}

function multiple(group: PrimeGroup, n: bigint): Uint8Array {
  return base(group, bytesOf(n));
}

function inverse(group: PrimeGroup, scalar: Uint8Array): Uint8Array {
  const out = new Uint8Array(32);
  group.scalarInvert(out, scalar);
  return out;
}

function reduced(group: PrimeGroup, wide: Uint8Array): Uint8Array {
  const out = new Uint8Array(32);
  group.scalarReduce(out, wide);
  return out;
}

function small(group: PrimeGroup, n: number): Uint8Array {
  return reduced(
    group,
    Uint8Array.from({ length: 64 }, (_, i) => (i === 0 ? n : 0)),
  );
}

/** 32 bytes, little-endian. */
function bytesOf(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

function valueOf(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
