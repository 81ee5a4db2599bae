/**
 * Private keys that an attacker holds, found by their public keys.
 *
 * @module
 */

import { toHex } from '../core/bytes.ts';
import { RefusedError, type Provider } from '../crypto/provider.ts';
import type { SeizedDevice } from '../pipelines/_pipeline.ts';

const KEY_BYTES = 32;

export class Keyring {
  readonly #provider: Provider;
  readonly #secrets = new Map<string, Uint8Array>();
  /** Secrets of KEM prekeys, by the one-time prekey that was published with each. */
  readonly #kemSecrets = new Map<string, Uint8Array>();
  readonly #public = new Uint8Array(KEY_BYTES);
  readonly #more: Keyring | undefined;
  /** Of an oracle, by both public keys: what it has agreed for all who ask it. */
  readonly #agreed: Map<string, Uint8Array> | undefined;

  /**
   * @param more Whose keys are held too.
   * @param isOracle Whether many will ask it for the same agreements.
   */
  constructor(provider: Provider, more?: Keyring, isOracle = false) {
    this.#provider = provider;
    this.#more = more;
    this.#agreed = isOracle ? new Map() : more && more.#agreed;
  }

  /** @param secret 32 bytes of X25519. @returns Its public key, in hexadecimal. */
  add(secret: Uint8Array): string {
    this.#provider.x25519Public(this.#public, secret);
    const name = toHex(this.#public);
    this.#secrets.set(name, secret.slice());
    return name;
  }

  /** Of a one-time prekey: 32 bytes of X25519, and with PQXDH the seed of the KEM's. */
  addPrekey(secrets: Uint8Array): void {
    if (secrets.length < KEY_BYTES) return;
    const name = this.add(secrets.subarray(0, KEY_BYTES));
    if (secrets.length > KEY_BYTES) this.#kemSecrets.set(name, secrets.slice(KEY_BYTES));
  }

  secretOf(publicKey: Uint8Array): Uint8Array | undefined {
    return this.#secrets.get(toHex(publicKey)) ?? this.#more?.secretOf(publicKey);
  }

  kemSecretOf(oneTimePublic: Uint8Array): Uint8Array | undefined {
    return this.#kemSecrets.get(toHex(oneTimePublic)) ?? this.#more?.kemSecretOf(oneTimePublic);
  }

  /** X25519 of two public keys, if the private half of either is known. @returns Whether it is. */
  agree(out: Uint8Array, a: Uint8Array, b: Uint8Array): boolean {
    const secret = this.secretOf(a);
    const [known, other] = secret === undefined ? [this.secretOf(b), a] : [secret, b];
    if (known === undefined) return false;
    const name = this.#agreed === undefined ? '' : [toHex(a), toHex(b)].sort().join();
    const agreed = this.#agreed?.get(name);
    if (agreed !== undefined) {
      out.set(agreed);
      return true;
    }
    try {
      this.#provider.x25519(out, known, other);
      this.#agreed?.set(name, out.slice());
      return true;
    } catch (error) {
      if (error instanceof RefusedError) return false;
      throw error;
    }
  }
}

/** What a seized device gives: its identity, its signed prekey, and prekeys that nobody used. */
export function keyringOf(
  provider: Provider,
  { secrets, prekeys }: SeizedDevice,
  more?: Keyring,
): Keyring {
  const keyring = new Keyring(provider, more);
  if (secrets.length > 0) keyring.add(secrets.subarray(0, KEY_BYTES));
  if (secrets.length > 2 * KEY_BYTES) keyring.add(secrets.subarray(2 * KEY_BYTES));
  for (const prekey of prekeys) keyring.addPrekey(prekey.secrets);
  return keyring;
}

/**
 * A quantum computer: the private key to every public key of X25519 that was ever made, and nothing
 * of ML-KEM. It is modelled by the random bytes from which those keys were made.
 *
 * Holds 64 bytes and an entry of a map for each 32 bytes that clients drew.
 */
export function quantumOracle(provider: Provider, drawn: readonly Uint8Array[]): Keyring {
  const made = ORACLES.get(drawn);
  if (made !== undefined) return made;
  const keyring = new Keyring(provider, undefined, true);
  ORACLES.set(drawn, keyring);
  for (const bytes of drawn) {
    for (let at = 0; at + KEY_BYTES <= bytes.length; at += KEY_BYTES) {
      keyring.add(bytes.subarray(at, at + KEY_BYTES));
    }
  }
  return keyring;
}

/** One for all attacks on a town. */
const ORACLES = new WeakMap<readonly Uint8Array[], Keyring>();
