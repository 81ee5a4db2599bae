/**
 * The users of a world whose only keys are their identities: an X25519 key and the Ed25519 key that
 * signs it.
 *
 * @module
 */

import { equalBytes } from '../core/bytes.ts';
import type { KeyHandle } from '../crypto/provider.ts';
import { IDENTITY_BYTES } from '../protocols/x3dh.ts';
import { Accounts } from './_accounts.ts';
import type { Outbox, Setup } from './_pipeline.ts';

const SIGNATURE_BYTES = 64;
const SECRET_BYTES = 64;

/** X25519 public 32, Ed25519 public 32, signature of the first by the second 64. */
const BUNDLE_BYTES: number = IDENTITY_BYTES + SIGNATURE_BYTES;

export class StaticIdentities {
  readonly #accounts: Accounts;

  constructor({ provider, randomness, users }: Setup) {
    this.#accounts = new Accounts(provider, randomness, users);
  }

  /** Public identities of all users, 64 bytes each. */
  get directory(): Uint8Array {
    return this.#accounts.directory;
  }

  /** Both public identity keys, 64 bytes. A view. */
  identity(user: number): Uint8Array {
    return this.#accounts.identity(user);
  }

  /** The public X25519 key. A view. */
  agreementKey(user: number): Uint8Array {
    return this.#accounts.identity(user).subarray(0, 32);
  }

  agreementHandle(user: number): KeyHandle {
    return this.#accounts.identityHandle(user);
  }

  publish(user: number, outbox: Outbox): void {
    const bundle = outbox.reserve(BUNDLE_BYTES);
    bundle.set(this.identity(user));
    bundle.set(this.#accounts.identitySignature(user), IDENTITY_BYTES);
    outbox.emit(user, 'bundle', BUNDLE_BYTES);
  }

  /** Whether `bundle` is that of `user`, with a signature that verifies. One Ed25519 verification. */
  verifies(user: number, bundle: Uint8Array): boolean {
    if (bundle.length !== BUNDLE_BYTES) return false;
    const identity = bundle.subarray(0, IDENTITY_BYTES);
    if (!equalBytes(identity, this.identity(user))) return false;
    return this.#accounts.verifiesIdentity(identity, bundle.subarray(IDENTITY_BYTES));
  }

  /** X25519 identity secret and Ed25519 seed. */
  secrets(user: number): Uint8Array {
    return this.#accounts.secrets(user).slice(0, SECRET_BYTES);
  }
}
