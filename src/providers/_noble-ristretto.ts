/**
 * ristretto255 of @noble/curves.
 *
 * @module
 */

import { RefusedError, type PrimeGroup } from '../crypto/provider.ts';
import { requireLength } from './_lengths.ts';
import { GROUP_BYTES, requireNotIdentity, requireScalar } from './_scalars.ts';

type Ristretto255 = typeof import('@noble/curves/ed25519.js').ristretto255;
type Element = InstanceType<Ristretto255['Point']>;

/** Scalars and elements are decoded and encoded at each call; an encoding costs an inverse root. */
export function nobleRistretto255(library: Ristretto255): PrimeGroup {
  const { Point } = library;
  const scalars = Point.Fn;
  const scalarOf = (bytes: Uint8Array): bigint => {
    requireScalar(bytes);
    return scalars.fromBytes(bytes);
  };
  const elementOf = (bytes: Uint8Array): Element => {
    requireLength(bytes, GROUP_BYTES);
    try {
      return Point.fromBytes(bytes);
    } catch {
      throw new RefusedError();
    }
  };
  return {
    scalarReduce(out, wide) {
      requireLength(out, GROUP_BYTES);
      requireLength(wide, 2 * GROUP_BYTES);
      let value = 0n;
      for (let i = wide.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(wide[i]!);
      out.set(scalars.toBytes(scalars.create(value)));
    },
    scalarAdd(out, a, b) {
      requireLength(out, GROUP_BYTES);
      out.set(scalars.toBytes(scalars.add(scalarOf(a), scalarOf(b))));
    },
    scalarSubtract(out, a, b) {
      requireLength(out, GROUP_BYTES);
      out.set(scalars.toBytes(scalars.sub(scalarOf(a), scalarOf(b))));
    },
    scalarMultiply(out, a, b) {
      requireLength(out, GROUP_BYTES);
      out.set(scalars.toBytes(scalars.mul(scalarOf(a), scalarOf(b))));
    },
    scalarInvert(out, a) {
      requireLength(out, GROUP_BYTES);
      const scalar = scalarOf(a);
      if (scalar === 0n) throw new RefusedError();
      out.set(scalars.toBytes(scalars.inv(scalar)));
    },
    multiplyBase(out, scalar) {
      requireLength(out, GROUP_BYTES);
      writeProduct(out, scalarOf(scalar), Point.BASE);
    },
    multiply(out, scalar, element) {
      requireLength(out, GROUP_BYTES);
      const factor = scalarOf(scalar);
      const decoded = elementOf(element);
      requireNotIdentity(element);
      writeProduct(out, factor, decoded);
    },
    add(out, a, b) {
      requireLength(out, GROUP_BYTES);
      out.set(elementOf(a).add(elementOf(b)).toBytes());
    },
    subtract(out, a, b) {
      requireLength(out, GROUP_BYTES);
      out.set(elementOf(a).subtract(elementOf(b)).toBytes());
    },
  };
}

/** @throws RefusedError where the result would be the identity. */
function writeProduct(out: Uint8Array, scalar: bigint, element: Element): void {
  if (scalar === 0n) throw new RefusedError();
  out.set(element.multiply(scalar).toBytes());
}
