/**
 * ristretto255 of libsodium's WebAssembly sumo build: the standard build and sodium-native have none.
 *
 * @module
 */

import { RefusedError, type PrimeGroup } from '../crypto/provider.ts';
import { requireLength } from './_lengths.ts';
import { GROUP_BYTES, requireScalar } from './_scalars.ts';
import type { SodiumWasm } from './_sodium-wasm.ts';

type Binary = (out: Uint8Array, a: Uint8Array, b: Uint8Array) => void;

/** Arguments are copied into the WASM memory, and results come as fresh arrays. */
export function sodiumRistretto255(sodium: SodiumWasm): PrimeGroup {
  return {
    scalarReduce(out, wide) {
      requireLength(out, GROUP_BYTES);
      requireLength(wide, 2 * GROUP_BYTES);
      out.set(sodium.crypto_core_ristretto255_scalar_reduce(wide));
    },
    scalarAdd: overScalars((a, b) => sodium.crypto_core_ristretto255_scalar_add(a, b)),
    scalarSubtract: overScalars((a, b) => sodium.crypto_core_ristretto255_scalar_sub(a, b)),
    scalarMultiply: overScalars((a, b) => sodium.crypto_core_ristretto255_scalar_mul(a, b)),
    scalarInvert(out, a) {
      requireLength(out, GROUP_BYTES);
      requireScalar(a);
      out.set(orRefused(() => sodium.crypto_core_ristretto255_scalar_invert(a)));
    },
    multiplyBase(out, scalar) {
      requireLength(out, GROUP_BYTES);
      requireScalar(scalar);
      out.set(orRefused(() => sodium.crypto_scalarmult_ristretto255_base(scalar)));
    },
    multiply(out, scalar, element) {
      requireLength(out, GROUP_BYTES);
      requireScalar(scalar);
      requireLength(element, GROUP_BYTES);
      out.set(orRefused(() => sodium.crypto_scalarmult_ristretto255(scalar, element)));
    },
    add: overElements((a, b) => sodium.crypto_core_ristretto255_add(a, b)),
    subtract: overElements((a, b) => sodium.crypto_core_ristretto255_sub(a, b)),
  };
}

function overScalars(compute: (a: Uint8Array, b: Uint8Array) => Uint8Array): Binary {
  return (out, a, b) => {
    requireLength(out, GROUP_BYTES);
    requireScalar(a);
    requireScalar(b);
    out.set(compute(a, b));
  };
}

function overElements(compute: (a: Uint8Array, b: Uint8Array) => Uint8Array): Binary {
  return (out, a, b) => {
    requireLength(out, GROUP_BYTES);
    requireLength(a, GROUP_BYTES);
    requireLength(b, GROUP_BYTES);
    out.set(orRefused(() => compute(a, b)));
  };
}

/** libsodium fails on zero, on the identity and on an encoding that is not canonical. */
function orRefused(compute: () => Uint8Array): Uint8Array {
  try {
    return compute();
  } catch {
    throw new RefusedError();
  }
}
