/**
 * Opening sessions with X3DH or PQXDH, for all users of a world: what comes before the first chain.
 *
 * A handshake in a frame, X3DH revision 1 section 3.3: IKa 64, EKa 32, signed prekey id 4, one-time
 * prekey id 4; with PQXDH, revision 3 section 3.3, the KEM's ciphertext after it. ML-KEM binds its
 * public key, so the associated data need not name it (PQXDH section 4.12).
 *
 * @module
 */

import { equalBytes, getUint32, putUint32 } from '../core/bytes.ts';
import { RefusedError, type Kem, type Provider } from '../crypto/provider.ts';
import type { Randomness } from '../crypto/randomness.ts';
import { IDENTITY_BYTES, SHARED_SECRET_BYTES, X3dh } from '../protocols/x3dh.ts';
import { Accounts, type Bundle, type Strangers } from './_accounts.ts';
import { OUTCOME, type Setup } from './_pipeline.ts';

const EPHEMERAL_AT: number = IDENTITY_BYTES;
const PREKEY_ID_AT: number = EPHEMERAL_AT + 32;
const ONE_TIME_ID_AT: number = PREKEY_ID_AT + 4;
const KEM_CIPHERTEXT_AT: number = ONE_TIME_ID_AT + 4;

/** A handshake in a frame. */
export const HANDSHAKE_BYTES: number = ONE_TIME_ID_AT + 4;

/** What the initiator keeps to repeat its handshake. */
export interface PendingHandshake {
  readonly ephemeralPublic: Uint8Array;
  readonly signedPrekeyId: number;
  readonly oneTimeId: number;
  /** Of PQXDH. */
  readonly kemCiphertext?: Uint8Array;
}

/** One instance per world; owns its scratch, so it is not re-entrant. */
export class X3dhSessions {
  readonly accounts: Accounts;
  readonly #provider: Provider;
  readonly #randomness: Randomness;
  readonly #x3dh: X3dh;
  readonly #kem: Kem | undefined;
  readonly #kemSecret = new Uint8Array(32);
  readonly #encapsulation = new Uint8Array(32);
  readonly #ephemeral = new Uint8Array(32);
  /** SK of the last agreement that succeeded. */
  readonly secret: Uint8Array = new Uint8Array(SHARED_SECRET_BYTES);

  /**
   * @param kem With it the handshake is PQXDH.
   * @param strangers Users whose secrets are not of this world's clients.
   */
  constructor({ provider, randomness, users }: Setup, kem?: Kem, strangers?: Strangers) {
    this.#provider = provider;
    this.#randomness = randomness;
    this.#kem = kem;
    this.accounts = new Accounts(provider, randomness, users, kem, strangers);
    this.#x3dh = new X3dh(provider);
  }

  /**
   * Section 3.3: two Ed25519 verifications, one key generation and four X25519, and with a KEM one
   * verification and one encapsulation more; leaves SK in `secret`.
   *
   * @param ephemeralPublic 32 bytes, filled: EKa.
   * @param kemCiphertext Filled where there is a KEM.
   * @returns The bundle, or undefined when it is refused or not that of `peer`.
   */
  initiate(
    user: number,
    peer: number,
    bundle: Uint8Array,
    ephemeralPublic: Uint8Array,
    kemCiphertext?: Uint8Array,
  ): Bundle | undefined {
    const read = this.accounts.readBundle(bundle);
    if (read === undefined || !equalBytes(read.identity, this.accounts.identity(peer))) {
      return undefined;
    }
    this.#randomness.fill(this.#ephemeral);
    try {
      if (this.#kem !== undefined) {
        this.#randomness.fill(this.#encapsulation);
        const random = this.#encapsulation;
        this.#kem.encapsulate(kemCiphertext!, this.#kemSecret, read.kemPrekey, random);
      }
      this.#x3dh.initiate(this.secret, {
        identity: this.accounts.identityHandle(user),
        ephemeralSecret: this.#ephemeral,
        theirIdentity: read.identity.subarray(0, 32),
        theirSignedPrekey: read.signedPrekey,
        theirOneTimePrekey: read.oneTimePrekey,
        ...(this.#kem === undefined ? {} : { kemSecret: this.#kemSecret }),
      });
    } catch (error) {
      if (error instanceof RefusedError) return undefined;
      throw error;
    }
    this.#provider.x25519Public(ephemeralPublic, this.#ephemeral);
    this.#ephemeral.fill(0);
    return read;
  }

  /** Writes the handshake of `user` into `frame` at `at`. */
  write(frame: Uint8Array, at: number, user: number, pending: PendingHandshake): void {
    frame.set(this.accounts.identity(user), at);
    frame.set(pending.ephemeralPublic, at + EPHEMERAL_AT);
    putUint32(frame, at + PREKEY_ID_AT, pending.signedPrekeyId);
    putUint32(frame, at + ONE_TIME_ID_AT, pending.oneTimeId);
    if (pending.kemCiphertext !== undefined)
      frame.set(pending.kemCiphertext, at + KEM_CIPHERTEXT_AT);
  }

  /**
   * Section 3.4: four X25519, and with a KEM one decapsulation; leaves SK in `secret`.
   *
   * @param at Where the handshake begins in `frame`.
   * @returns 0, or a negative outcome.
   */
  respond(user: number, peer: number, frame: Uint8Array, at: number): number {
    const { accounts } = this;
    const identity = frame.subarray(at, at + IDENTITY_BYTES);
    if (!equalBytes(identity, accounts.identity(peer))) return OUTCOME.AUTH_FAILED;
    if (!accounts.hasSignedPrekey(user, getUint32(frame, at + PREKEY_ID_AT))) {
      return OUTCOME.UNKNOWN_KEY;
    }
    const oneTimeId = getUint32(frame, at + ONE_TIME_ID_AT);
    const oneTimeSecrets = accounts.oneTimeSecrets(user, oneTimeId);
    if (oneTimeSecrets === undefined) return OUTCOME.UNKNOWN_KEY;
    const kem = this.#kem;
    try {
      if (kem !== undefined) {
        const from = at + KEM_CIPHERTEXT_AT;
        const ciphertext = frame.subarray(from, from + kem.ciphertextBytes);
        kem.decapsulate(this.#kemSecret, oneTimeSecrets.subarray(32), ciphertext);
      }
      this.#x3dh.respond(this.secret, {
        identity: accounts.identityHandle(user),
        signedPrekey: accounts.signedPrekeyHandle(user),
        oneTimeSecret: oneTimeSecrets.subarray(0, 32),
        theirIdentity: identity.subarray(0, 32),
        theirEphemeral: frame.subarray(at + EPHEMERAL_AT, at + PREKEY_ID_AT),
        ...(kem === undefined ? {} : { kemSecret: this.#kemSecret }),
      });
    } catch (error) {
      if (error instanceof RefusedError) return OUTCOME.AUTH_FAILED;
      throw error;
    }
    return 0;
  }

  /** Deletes `user`'s one-time prekey of a handshake whose first message opened, section 3.4. */
  spend(user: number, frame: Uint8Array, at: number): void {
    this.accounts.spendOneTime(user, getUint32(frame, at + ONE_TIME_ID_AT));
  }
}
