/**
 * Loading libsodium's WebAssembly build.
 *
 * @module
 */

import { loadLibrary, packageVersion } from './_package.ts';

/** The sumo build: the standard one exports neither SHA-256 nor ristretto255. */
const PACKAGE = 'libsodium-wrappers-sumo';

export type SodiumWasm = typeof import('libsodium-wrappers-sumo').default;

/** @throws HarnessError with code UNAVAILABLE when it does not load. */
export function loadSodiumWasm(): Promise<{ sodium: SodiumWasm; version: string }> {
  return loadLibrary([PACKAGE], async () => {
    const { default: sodium } = await import('libsodium-wrappers-sumo');
    await sodium.ready;
    const version = `${packageVersion(PACKAGE)} (libsodium ${sodium.SODIUM_VERSION_STRING})`;
    return { sodium, version };
  });
}
