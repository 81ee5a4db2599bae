/**
 * @hpke/core: loading it, and the suite of RFC 9180 that both of us can compute.
 *
 * @module
 */

import type { CipherSuite } from '@hpke/core';
import { OUTCOME, type ForeignLibrary, type OptionSpec } from '../_pipeline.ts';
import {
  foreignFailure,
  installedVersion,
  loadOptional,
  type OptionalPackage,
} from './_library.ts';

export type HpkeCore = typeof import('@hpke/core');

const PACKAGE: OptionalPackage = { name: '@hpke/core', tested: '1.9.0' };

export function loadHpkeCore(): Promise<HpkeCore> {
  return loadOptional(PACKAGE, () => import('@hpke/core'));
}

/** What all pipelines of it have in common. */
export const HPKE_CORE = {
  implementation: 'hpke-core',
  package: PACKAGE.name,
  licence: 'MIT',
  asynchronous: true,
  async version(): Promise<string> {
    await loadHpkeCore();
    return installedVersion(PACKAGE.name);
  },
} as const satisfies Partial<ForeignLibrary>;

export const HPKE_CORE_AEAD_OPTION: OptionSpec = {
  title: 'the cipher: @hpke/core itself has no ChaCha20-Poly1305',
  values: ['aes-256-gcm'],
  default: 'aes-256-gcm',
};

/** DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001, AES-256-GCM 0x0002. */
export function openSuite(library: HpkeCore): CipherSuite {
  return new library.CipherSuite({
    kem: new library.DhkemX25519HkdfSha256(),
    kdf: new library.HkdfSha256(),
    aead: new library.Aes256Gcm(),
  });
}

/** A long-lived key, imported. */
export interface ImportedKeyPair {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

export async function importKeyPair(
  suite: CipherSuite,
  secret: Uint8Array,
  publicKey: Uint8Array,
): Promise<ImportedKeyPair> {
  return {
    privateKey: await suite.kem.deserializePrivateKey(secret.slice()),
    publicKey: await suite.kem.deserializePublicKey(publicKey.slice()),
  };
}

/** @throws HarnessError for what is no refusal. */
export function refusalOf(library: HpkeCore, error: unknown): number {
  if (error instanceof library.HpkeError) return OUTCOME.AUTH_FAILED;
  throw foreignFailure('@hpke/core', error);
}
