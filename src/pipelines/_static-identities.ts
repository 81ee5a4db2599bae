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
  readonly #provider: Setup['provider'];
  readonly #accounts: Accounts;
  /** Of all users, 64 bytes each. */
  readonly #signatures: Uint8Array;

  constructor({ provider, randomness, users }: Setup) {
    this.#provider = provider;
    this.#accounts = new Accounts(provider, randomness, users);
    this.#signatures = new Uint8Array(users * SIGNATURE_BYTES);
    for (let user = 0; user < users; user++) {
      const signingKey = provider.ed25519Handle(this.secrets(user).slice(32));
      provider.ed25519Sign(this.#signature(user), signingKey, this.agreementKey(user));
    }
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
    bundle.set(this.#signature(user), IDENTITY_BYTES);
    outbox.emit(user, 'bundle', BUNDLE_BYTES);
  }

  /** Whether `bundle` is that of `user`, with a signature that verifies. One Ed25519 verification. */
  verifies(user: number, bundle: Uint8Array): boolean {
    if (bundle.length !== BUNDLE_BYTES) return false;
    const identity = bundle.subarray(0, IDENTITY_BYTES);
    if (!equalBytes(identity, this.identity(user))) return false;
    const signature = bundle.subarray(IDENTITY_BYTES);
    const signing = identity.subarray(32);
    return this.#provider.ed25519Verify(signature, signing, identity.subarray(0, 32));
  }

  /** X25519 identity secret and Ed25519 seed. */
  secrets(user: number): Uint8Array {
    return this.#accounts.secrets(user).slice(0, SECRET_BYTES);
  }

  #signature(user: number): Uint8Array {
    return this.#signatures.subarray(user * SIGNATURE_BYTES, (user + 1) * SIGNATURE_BYTES);
  }
}
