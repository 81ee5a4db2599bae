/**
 * The users of a world and their keys: identity, signed prekey and one-time prekeys.
 *
 * Keys are packed bytes; handles are made on first use, because some providers keep a large object
 * per key.
 *
 * @module
 */

import { getUint32, putUint32 } from '../core/bytes.ts';
import { NONE, PackedPool, PackedRecords } from '../core/packed.ts';
import type { Kem, KeyHandle, Provider } from '../crypto/provider.ts';
import type { Randomness } from '../crypto/randomness.ts';
import { IDENTITY_BYTES } from '../protocols/x3dh.ts';
import type { Outbox, SeizedPrekey } from './_pipeline.ts';
import { ScratchViews } from './_views.ts';

/** Virtual time after which a user makes a new signed prekey: one week. */
const SIGNED_PREKEY_LIFE_MS = 7 * 86_400_000;

/**
 * A prekey bundle, X3DH revision 1 section 3.2: identity keys 64, signature of the X25519 identity
 * 64, signed prekey id 4, signed prekey 32, its signature 64, one-time prekey id 4, one-time prekey
 * 32; ids are big-endian.
 */
export const BUNDLE_BYTES: number = IDENTITY_BYTES + 64 + 4 + 32 + 64 + 4 + 32;

/** Offsets of one user's record. */
const AT = {
  identitySecret: 0,
  signingSeed: 32,
  identity: 64, // X25519 public, Ed25519 public
  identitySignature: 128,
  prekeySecret: 192,
  prekey: 224,
  prekeySignature: 256,
  prekeyId: 320,
  prekeyMadeDay: 324,
} as const;
const RECORD_BYTES = 328;

/** First byte of what is signed, so that no key can be passed off as one of another use. */
const SIGNED = { identity: 1, prekey: 2, kemPrekey: 3 } as const;

/** In front of a one-time prekey: 1 plus its user; 0 once it was used. */
const ONE_TIME_OWNER_BYTES = 4;

/** What a one-time KEM prekey adds to a bundle, after its one-time prekey: key, signature 64. */
function kemBundleBytes(kem: Kem | undefined): number {
  return kem === undefined ? 0 : kem.publicKeyBytes + 64;
}

export class Accounts {
  readonly users: number;
  readonly #provider: Provider;
  readonly #randomness: Randomness;
  readonly #records: PackedRecords;
  readonly #identityHandles = new Map<number, KeyHandle>();
  readonly #prekeyHandles = new Map<number, KeyHandle>();
  readonly #signingHandles = new Map<number, KeyHandle>();
  readonly #oneTime: PackedPool;
  /** Ids of one-time prekeys are below this. */
  #prekeysMade = 0;
  readonly #oneTimePublic = new Uint8Array(32);
  readonly #kem: Kem | undefined;
  readonly #views = new ScratchViews();
  /** Public identities of all users, 64 bytes each: what the directory shows. */
  readonly directory: Uint8Array;

  /**
   * Registers all users: two key generations and one signature each.
   *
   * @param kem With it every bundle has a one-time KEM prekey too, as in PQXDH.
   * @param strangers Users whose identities are known here, and whose secrets are not.
   */
  constructor(
    provider: Provider,
    randomness: Randomness,
    users: number,
    kem?: Kem,
    strangers?: Strangers,
  ) {
    this.users = users;
    this.#kem = kem;
    this.#provider = provider;
    this.#randomness = randomness;
    this.#records = new PackedRecords(RECORD_BYTES, users);
    const secretBytes = 32 + (kem?.secretKeyBytes ?? 0);
    this.#oneTime = new PackedPool(ONE_TIME_OWNER_BYTES + secretBytes, 0x7fff_ffff);
    this.directory = new Uint8Array(users * IDENTITY_BYTES);
    if (strangers !== undefined) {
      this.directory.set(strangers.identities, strangers.first * IDENTITY_BYTES);
    }
    for (let user = 0; user < users; user++) {
      if (isStranger(strangers, user)) continue;
      const record = this.#records.view(user);
      randomness.fill(record.subarray(AT.identitySecret, AT.identity));
      const secret = record.subarray(AT.identitySecret, AT.signingSeed);
      const seed = record.subarray(AT.signingSeed, AT.identity);
      const agreement = record.subarray(AT.identity, AT.identity + 32);
      provider.x25519Public(agreement, secret);
      provider.ed25519Public(record.subarray(AT.identity + 32, AT.identitySignature), seed);
      const signature = record.subarray(AT.identitySignature, AT.prekeySecret);
      this.#sign(signature, user, SIGNED.identity, agreement);
      this.directory.set(record.subarray(AT.identity, AT.identitySignature), user * IDENTITY_BYTES);
    }
  }

  /** Both public identity keys, 64 bytes. A view. */
  identity(user: number): Uint8Array {
    return this.directory.subarray(user * IDENTITY_BYTES, (user + 1) * IDENTITY_BYTES);
  }

  /** The signature of the X25519 identity, 64 bytes. A view. */
  identitySignature(user: number): Uint8Array {
    return this.#records.view(user).subarray(AT.identitySignature, AT.prekeySecret);
  }

  /** Whether the X25519 key of an identity is signed by its Ed25519 key. One verification. */
  verifiesIdentity(identity: Uint8Array, signature: Uint8Array): boolean {
    const agreement = identity.subarray(0, 32);
    return this.#verifies(signature, identity.subarray(32), SIGNED.identity, agreement);
  }

  identityHandle(user: number): KeyHandle {
    let handle = this.#identityHandles.get(user);
    if (handle === undefined) {
      const secret = this.#records.view(user).subarray(AT.identitySecret, AT.signingSeed);
      handle = this.#provider.x25519Handle(secret);
      this.#identityHandles.set(user, handle);
    }
    return handle;
  }

  /** @returns Whether `id` names the current signed prekey of `user`. */
  hasSignedPrekey(user: number, id: number): boolean {
    return id !== 0 && getUint32(this.#records.view(user), AT.prekeyId) === id;
  }

  signedPrekeyHandle(user: number): KeyHandle {
    let handle = this.#prekeyHandles.get(user);
    if (handle === undefined) {
      handle = this.#provider.x25519Handle(this.signedPrekeySecret(user));
      this.#prekeyHandles.set(user, handle);
    }
    return handle;
  }

  signedPrekeySecret(user: number): Uint8Array {
    return this.#records.view(user).subarray(AT.prekeySecret, AT.prekey);
  }

  signedPrekey(user: number): Uint8Array {
    return this.#records.view(user).subarray(AT.prekey, AT.prekeySignature);
  }

  /**
   * The secrets of one-time prekey `id` of `user`: 32 bytes, then that of the KEM prekey that was
   * published with it. Valid until the next `publish`.
   *
   * @param id As a peer says it.
   * @returns Undefined when it is not one of `user`'s, or was used.
   */
  oneTimeSecrets(user: number, id: number): Uint8Array | undefined {
    const record = this.#oneTime.view(id);
    if (record.length === 0 || getUint32(record, 0) !== user + 1) return undefined;
    return record.subarray(ONE_TIME_OWNER_BYTES);
  }

  /** One-time prekeys of `user` that no handshake has used. Copies; linear in all that were made. */
  unusedPrekeys(user: number): SeizedPrekey[] {
    const unused: SeizedPrekey[] = [];
    for (let id = 0; id < this.#prekeysMade; id++) {
      const secrets = this.oneTimeSecrets(user, id);
      if (secrets !== undefined) unused.push({ id, secrets: secrets.slice() });
    }
    return unused;
  }

  /** Deletes a one-time prekey of `user` that was used, X3DH revision 1 section 3.4. */
  spendOneTime(user: number, id: number): void {
    if (this.oneTimeSecrets(user, id) !== undefined) this.#oneTime.release(id);
  }

  /**
   * Emits a bundle with a fresh one-time prekey: one key generation, and when the signed prekey is
   * missing or a week old another one and a signature. With a KEM one of its key generations and a
   * signature more.
   */
  publish(user: number, atMs: number, toUser: number, outbox: Outbox): void {
    const record = this.#records.view(user);
    const day = Math.floor(atMs / 86_400_000) + 1;
    const madeDay = getUint32(record, AT.prekeyMadeDay);
    if (madeDay === 0 || (day - madeDay) * 86_400_000 >= SIGNED_PREKEY_LIFE_MS) {
      this.#makeSignedPrekey(user, record);
      putUint32(record, AT.prekeyMadeDay, day);
    }
    const id = this.#oneTime.take();
    if (id === NONE) throw new RangeError('one-time prekeys expected fewer than 2^31');
    this.#prekeysMade = Math.max(this.#prekeysMade, id + 1);
    const oneTime = this.#oneTime.view(id);
    putUint32(oneTime, 0, user + 1);
    const secrets = oneTime.subarray(ONE_TIME_OWNER_BYTES);
    this.#randomness.fill(secrets);
    this.#provider.x25519Public(this.#oneTimePublic, secrets.subarray(0, 32));

    const kem = this.#kem;
    const length = BUNDLE_BYTES + kemBundleBytes(kem);
    const bundle = outbox.reserve(length);
    bundle.set(record.subarray(AT.identity, AT.prekeySecret), 0);
    bundle.set(record.subarray(AT.prekeyId, AT.prekeyId + 4), 128);
    bundle.set(record.subarray(AT.prekey, AT.prekeyId), 132);
    putUint32(bundle, 228, id);
    bundle.set(this.#oneTimePublic, 232);
    if (kem !== undefined) {
      const publicKey = bundle.subarray(BUNDLE_BYTES, length - 64);
      kem.publicKey(publicKey, secrets.subarray(32));
      this.#sign(bundle.subarray(length - 64), user, SIGNED.kemPrekey, publicKey);
    }
    outbox.emit(toUser, 'bundle', length);
  }

  /**
   * Checks the signatures of a bundle: two Ed25519 verifications, with a KEM three.
   *
   * @returns Undefined when one does not verify or the bundle does not parse.
   */
  readBundle(bundle: Uint8Array): Bundle | undefined {
    if (bundle.length !== BUNDLE_BYTES + kemBundleBytes(this.#kem)) return undefined;
    const identity = bundle.subarray(0, IDENTITY_BYTES);
    const signing = identity.subarray(32);
    const signedPrekey = bundle.subarray(132, 164);
    if (!this.verifiesIdentity(identity, bundle.subarray(64, 128))) return undefined;
    const prekeySignature = bundle.subarray(164, 228);
    if (!this.#verifies(prekeySignature, signing, SIGNED.prekey, signedPrekey)) return undefined;
    const kemPrekey = bundle.subarray(
      BUNDLE_BYTES,
      bundle.length - (this.#kem === undefined ? 0 : 64),
    );
    if (this.#kem !== undefined) {
      const signature = bundle.subarray(bundle.length - 64);
      if (!this.#verifies(signature, signing, SIGNED.kemPrekey, kemPrekey)) return undefined;
    }
    return {
      identity,
      signedPrekeyId: getUint32(bundle, 128),
      signedPrekey,
      oneTimeId: getUint32(bundle, 228),
      oneTimePrekey: bundle.subarray(232, 264),
      kemPrekey,
    };
  }

  /** Identity secret, signing seed and signed prekey secret: 96 bytes. */
  secrets(user: number): Uint8Array {
    const record = this.#records.view(user);
    const out = new Uint8Array(96);
    out.set(record.subarray(AT.identitySecret, AT.identity));
    out.set(record.subarray(AT.prekeySecret, AT.prekey), 64);
    return out;
  }

  #makeSignedPrekey(user: number, record: Uint8Array): void {
    const secret = record.subarray(AT.prekeySecret, AT.prekey);
    const prekey = record.subarray(AT.prekey, AT.prekeySignature);
    this.#randomness.fill(secret);
    this.#provider.x25519Public(prekey, secret);
    const signature = record.subarray(AT.prekeySignature, AT.prekeyId);
    this.#sign(signature, user, SIGNED.prekey, prekey);
    putUint32(record, AT.prekeyId, getUint32(record, AT.prekeyId) + 1);
    this.#prekeyHandles.delete(user);
  }

  #sign(signature: Uint8Array, user: number, kind: number, key: Uint8Array): void {
    let handle = this.#signingHandles.get(user);
    if (handle === undefined) {
      const seed = this.#records.view(user).subarray(AT.signingSeed, AT.identity);
      handle = this.#provider.ed25519Handle(seed);
      this.#signingHandles.set(user, handle);
    }
    this.#provider.ed25519Sign(signature, handle, this.#signed(kind, key));
  }

  #verifies(signature: Uint8Array, signing: Uint8Array, kind: number, key: Uint8Array): boolean {
    return this.#provider.ed25519Verify(signature, signing, this.#signed(kind, key));
  }

  #signed(kind: number, key: Uint8Array): Uint8Array {
    const signed = this.#views.take(1 + key.length);
    signed[0] = kind;
    signed.set(key, 1);
    return signed;
  }
}

/** Users whose keys are elsewhere. */
export interface Strangers {
  /** The number of the first; the others follow. */
  readonly first: number;
  /** 64 bytes each. */
  readonly identities: Uint8Array;
}

function isStranger(strangers: Strangers | undefined, user: number): boolean {
  if (strangers === undefined || user < strangers.first) return false;
  return user < strangers.first + strangers.identities.length / IDENTITY_BYTES;
}

/** A verified bundle, as views of what was given. */
export interface Bundle {
  readonly identity: Uint8Array;
  readonly signedPrekeyId: number;
  readonly signedPrekey: Uint8Array;
  readonly oneTimeId: number;
  readonly oneTimePrekey: Uint8Array;
  /** Empty without a KEM. */
  readonly kemPrekey: Uint8Array;
}
