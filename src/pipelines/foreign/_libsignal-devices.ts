/**
 * The devices of a world whose ends are libsignal's: their keys, and the stores that it asks for them.
 *
 * One call runs at a time, so the stores answer for the end that the call is about. Sessions are kept
 * as the bytes that libsignal serialises, one record per end, read and written anew by every call.
 *
 * A bundle: registration id 4, identity key 33, then prekey id 4 and prekey 33, signed prekey id 4,
 * signed prekey 33 and its signature 64, Kyber prekey id 4, Kyber prekey 1569 and its signature 64;
 * ids are big-endian, keys have libsignal's type byte.
 *
 * @module
 */

import type {
  IdentityKeyPair,
  IdentityKeyStore,
  KyberPreKeyStore,
  PreKeyBundle,
  PreKeyStore,
  ProtocolAddress,
  PublicKey,
  SessionStore,
  SignedPreKeyRecord,
  SignedPreKeyStore,
} from '@signalapp/libsignal-client';
import { concatBytes, getUint32, putUint32 } from '../../core/bytes.ts';
import type { PackedMembers } from '../_members.ts';
import { OUTCOME, type Outbox } from '../_pipeline.ts';
import { foreignFailure } from './_library.ts';
import { isOfLibsignal, refusalOf, type Libsignal } from './_libsignal.ts';

const KEY_BYTES = 33;
const SIGNATURE_BYTES = 64;
/** Kyber-1024 of round 3, with its type byte. */
const KYBER_KEY_BYTES = 1569;

const AT = {
  registration: 0,
  identity: 4,
  prekeyId: 4 + KEY_BYTES,
  prekey: 8 + KEY_BYTES,
  signedId: 8 + 2 * KEY_BYTES,
  signed: 12 + 2 * KEY_BYTES,
  signedSignature: 12 + 3 * KEY_BYTES,
  kyberId: 12 + 3 * KEY_BYTES + SIGNATURE_BYTES,
  kyber: 16 + 3 * KEY_BYTES + SIGNATURE_BYTES,
  kyberSignature: 16 + 3 * KEY_BYTES + SIGNATURE_BYTES + KYBER_KEY_BYTES,
} as const;
const BUNDLE_BYTES: number = AT.kyberSignature + SIGNATURE_BYTES;

/** Every user has one device. */
export const DEVICE_ID = 1;
/** Virtual time after which a user makes a new signed prekey: one week. */
const SIGNED_PREKEY_LIFE_MS = 7 * 86_400_000;

/** The prekeys that were published with one bundle, as libsignal serialises its records. */
interface OneTimePrekeys {
  readonly user: number;
  readonly prekey: Bytes;
  readonly kyber: Bytes;
}

interface SignedPrekey {
  readonly record: SignedPreKeyRecord;
  readonly madeAtMs: number;
}

/** What libsignal takes. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** All buffers of the engine are over plain ones, never shared. */
export function plain(bytes: Uint8Array): Bytes {
  return bytes as Bytes;
}

export class LibsignalDevices {
  readonly libsignal: Libsignal;
  readonly stores: {
    readonly session: SessionStore;
    readonly identity: IdentityKeyStore;
    readonly prekey: PreKeyStore;
    readonly signedPrekey: SignedPreKeyStore;
    readonly kyberPrekey: KyberPreKeyStore;
  };
  readonly #members: PackedMembers;
  readonly #identities: IdentityKeyPair[] = [];
  readonly #addresses: ProtocolAddress[] = [];
  readonly #signedPrekeys: SignedPrekey[] = [];
  readonly #oneTime = new Map<number, OneTimePrekeys>();
  readonly #records: (Bytes | undefined)[] = [];
  #lastId = 0;
  /** What the call that runs is about. */
  #end = 0;
  #user = 0;
  #peer = 0;
  /** Whether libsignal asked for a key that this device does not hold. */
  #keyIsMissing = false;

  /** Registers all users: one key generation each. */
  constructor(library: Libsignal, members: PackedMembers, users: number) {
    this.libsignal = library;
    this.#members = members;
    for (let user = 0; user < users; user++) {
      this.#identities.push(library.IdentityKeyPair.generate());
      this.#addresses.push(library.ProtocolAddress.new(serviceIdOf(user), DEVICE_ID));
    }
    this.stores = {
      session: this.#sessionStore(),
      identity: this.#identityStore(),
      prekey: this.#prekeyStore(),
      signedPrekey: this.#signedPrekeyStore(),
      kyberPrekey: this.#kyberPrekeyStore(),
    };
  }

  /** Public identity keys of all users. */
  directory(): Uint8Array {
    return concatBytes(...this.#identities.map(({ publicKey }) => publicKey.serialize()));
  }

  identityKey(user: number): PublicKey {
    return this.#identities[user]!.publicKey;
  }

  /** Has the stores answer for `member` of `session`. */
  turnTo(session: number, member: number): void {
    this.#end = session * 2 + member;
    this.#user = this.#members.user(session, member);
    this.#peer = this.#members.user(session, 1 - member);
  }

  /** This and the next three are of the end that was turned to last. */
  get user(): number {
    return this.#user;
  }
  get peer(): number {
    return this.#peer;
  }
  get address(): ProtocolAddress {
    return this.#addresses[this.#user]!;
  }
  get peerAddress(): ProtocolAddress {
    return this.#addresses[this.#peer]!;
  }
  get hasSession(): boolean {
    return this.#records[this.#end] !== undefined;
  }

  /**
   * A fresh one-time prekey and a fresh one-time Kyber prekey: two key generations and one signature,
   * and where the signed prekey is missing or a week old one each more.
   */
  publish(user: number, atMs: number, outbox: Outbox): void {
    const { KEMKeyPair, KyberPreKeyRecord, PreKeyRecord, PrivateKey } = this.libsignal;
    const { privateKey: identitySecret, publicKey: identity } = this.#identities[user]!;
    const id = ++this.#lastId;
    const secret = PrivateKey.generate();
    const kyber = KEMKeyPair.generate();
    const kyberKey = kyber.getPublicKey().serialize();
    const kyberSignature = identitySecret.sign(kyberKey);
    const signed = this.#signedPrekeyOf(user, atMs);
    this.#oneTime.set(id, {
      user,
      prekey: PreKeyRecord.new(id, secret.getPublicKey(), secret).serialize(),
      kyber: KyberPreKeyRecord.new(id, Math.floor(atMs), kyber, kyberSignature).serialize(),
    });

    const bundle = outbox.reserve(BUNDLE_BYTES);
    putUint32(bundle, AT.registration, registrationIdOf(user));
    bundle.set(identity.serialize(), AT.identity);
    putUint32(bundle, AT.prekeyId, id);
    bundle.set(secret.getPublicKey().serialize(), AT.prekey);
    putUint32(bundle, AT.signedId, signed.id());
    bundle.set(signed.publicKey().serialize(), AT.signed);
    bundle.set(signed.signature(), AT.signedSignature);
    putUint32(bundle, AT.kyberId, id);
    bundle.set(kyberKey, AT.kyber);
    bundle.set(kyberSignature, AT.kyberSignature);
    outbox.emit(user, 'bundle', BUNDLE_BYTES);
  }

  /** Opens the session of the end that was turned to. @returns 0, or a negative outcome. */
  async initiate(bundle: Uint8Array): Promise<number> {
    const { libsignal: library, stores } = this;
    if (bundle.length !== BUNDLE_BYTES) return OUTCOME.AUTH_FAILED;
    try {
      await library.processPreKeyBundle(
        this.#readBundle(bundle),
        this.peerAddress,
        this.address,
        stores.session,
        stores.identity,
      );
      return 0;
    } catch (error) {
      return this.refused(error, undefined);
    }
  }

  /**
   * What to answer to a call that threw.
   *
   * @param message The SignalMessage that was refused, where it is known.
   * @throws HarnessError for what is no refusal.
   */
  refused(error: unknown, message: Uint8Array | undefined): number {
    const { libsignal: library } = this;
    if (this.#keyIsMissing && isOfLibsignal(library, error)) {
      this.#keyIsMissing = false;
      return OUTCOME.UNKNOWN_KEY;
    }
    return refusalOf(library, error, this.#records[this.#end], message);
  }

  /** For stages in which nothing may be refused. */
  failed(error: unknown): Error {
    return foreignFailure('libsignal', error);
  }

  #readBundle(bundle: Uint8Array): PreKeyBundle {
    const { KEMPublicKey, PreKeyBundle: Bundle, PublicKey: Key } = this.libsignal;
    const key = (at: number): PublicKey =>
      Key.deserialize(plain(bundle.subarray(at, at + KEY_BYTES)));
    const signature = (at: number): Bytes => plain(bundle.subarray(at, at + SIGNATURE_BYTES));
    return Bundle.new(
      getUint32(bundle, AT.registration),
      DEVICE_ID,
      getUint32(bundle, AT.prekeyId),
      key(AT.prekey),
      getUint32(bundle, AT.signedId),
      key(AT.signed),
      signature(AT.signedSignature),
      key(AT.identity),
      getUint32(bundle, AT.kyberId),
      KEMPublicKey.deserialize(plain(bundle.subarray(AT.kyber, AT.kyberSignature))),
      signature(AT.kyberSignature),
    );
  }

  #signedPrekeyOf(user: number, atMs: number): SignedPreKeyRecord {
    const kept = this.#signedPrekeys[user];
    if (kept !== undefined && atMs - kept.madeAtMs < SIGNED_PREKEY_LIFE_MS) return kept.record;
    const { PrivateKey, SignedPreKeyRecord: Signed } = this.libsignal;
    const secret = PrivateKey.generate();
    const publicKey = secret.getPublicKey();
    const signature = this.#identities[user]!.privateKey.sign(publicKey.serialize());
    const id = (kept?.record.id() ?? 0) + 1;
    const record = Signed.new(id, Math.floor(atMs), publicKey, secret, signature);
    this.#signedPrekeys[user] = { record, madeAtMs: atMs };
    return record;
  }

  #sessionStore(): SessionStore {
    return {
      saveSession: async (_name, record) => {
        this.#records[this.#end] = record.serialize();
      },
      getSession: async () => {
        const record = this.#records[this.#end];
        return record === undefined ? null : this.libsignal.SessionRecord.deserialize(record);
      },
      getExistingSessions: () => Promise.reject(new Error('there are no groups here')),
    };
  }

  /** Trusts whom the directory names. */
  #identityStore(): IdentityKeyStore {
    return {
      getIdentityKey: async () => this.#identities[this.#user]!.privateKey,
      getIdentityKeyPair: async () => this.#identities[this.#user]!,
      getLocalRegistrationId: async () => registrationIdOf(this.#user),
      saveIdentity: async () => this.libsignal.IdentityChange.NewOrUnchanged,
      isTrustedIdentity: async (_name, key) => key.equals(this.identityKey(this.#peer)),
      getIdentity: async () => this.identityKey(this.#peer),
    };
  }

  #prekeyStore(): PreKeyStore {
    return {
      savePreKey: () => Promise.reject(new Error('prekeys are made by publish')),
      getPreKey: async (id) => this.libsignal.PreKeyRecord.deserialize(this.#oneTimeOf(id).prekey),
      removePreKey: async (id) => {
        this.#oneTime.delete(id);
      },
    };
  }

  #signedPrekeyStore(): SignedPreKeyStore {
    return {
      saveSignedPreKey: () => Promise.reject(new Error('prekeys are made by publish')),
      getSignedPreKey: async (id) => {
        const record = this.#signedPrekeys[this.#user]?.record;
        if (record?.id() === id) return record;
        throw this.#missing();
      },
    };
  }

  #kyberPrekeyStore(): KyberPreKeyStore {
    return {
      saveKyberPreKey: () => Promise.reject(new Error('prekeys are made by publish')),
      getKyberPreKey: async (id) =>
        this.libsignal.KyberPreKeyRecord.deserialize(this.#oneTimeOf(id).kyber),
      // It goes with the one-time prekey that was published with it.
      markKyberPreKeyUsed: async () => {},
    };
  }

  #oneTimeOf(id: number): OneTimePrekeys {
    const found = this.#oneTime.get(id);
    if (found?.user !== this.#user) throw this.#missing();
    return found;
  }

  /** libsignal wraps what a store throws, so that it was this one is noted beside it. */
  #missing(): Error {
    this.#keyIsMissing = true;
    return new Error('no such prekey');
  }
}

/** Addresses must name accounts by UUID. */
export function serviceIdOf(user: number): string {
  return `00000000-0000-4000-8000-${user.toString(16).padStart(12, '0')}`;
}

/** From 1 to 16380, as libsignal wants them. */
function registrationIdOf(user: number): number {
  return 1 + (user % 16_380);
}
