/**
 * Sealed Sender: a message whose sender only the receiver learns, with a certificate of who it is.
 *
 * In the manner of Signal's first version (J. Lund, "Technology preview: Sealed sender for Signal",
 * signal.org, 2018-10-29; `rust/protocol/src/sealed_sender.rs` of libsignal): an ephemeral key hides
 * the sender's identity key, and the agreement of both identity keys hides the rest, so that who can
 * open it also knows who sealed it.
 *
 *     e, E            = a fresh X25519 key pair
 *     chain || k1     = HKDF(salt = label || IK_R || E, ikm = DH(e, IK_R))
 *     c1              = AEAD(k1, aad = version || E, IK_S)
 *     k2              = HKDF(salt = chain || c1, ikm = DH(IK_S, IK_R))
 *     c2              = AEAD(k2, aad = version || E || c1, content)
 *
 * Where it differs from libsignal: an AEAD takes the place of AES-CTR with a truncated HMAC, fields
 * have fixed places instead of Protocol Buffers, and the certificate is the fixed record below. The
 * nonces are zero, as both keys are fresh with the ephemeral key.
 *
 * | bytes | a sealed message |
 * | --- | --- |
 * | 1 | version, 1 |
 * | 32 | E |
 * | 32 + 16 | c1: the sender's X25519 identity key |
 * | n + 16 | c2: the content |
 *
 * @module
 */

import { concatBytes, EMPTY, getUint32, putUint32, utf8 } from '../core/bytes.ts';
import { RefusedError, type Aead, type KeyHandle, type Provider } from '../crypto/provider.ts';
import type { Randomness } from '../crypto/randomness.ts';
import { IDENTITY_BYTES } from './x3dh.ts';

const KEY_BYTES = 32;
const TAG_BYTES = 16;
const SIGNATURE_BYTES = 64;

const VERSION = 1;
/** The one server key there is. */
const SERVER_ID = 1;
const EPHEMERAL_AT = 1;
const IDENTITY_AT = EPHEMERAL_AT + KEY_BYTES;
const CONTENT_AT = IDENTITY_AT + KEY_BYTES + TAG_BYTES;

/** What sealing adds to the content. */
export const SEALED_SENDER_BYTES: number = CONTENT_AT + TAG_BYTES;

const LABEL = utf8('sealbench Sealed Sender');
const NONCE = new Uint8Array(12);

/** One instance per world; owns its scratch, so it is not re-entrant. */
export class SealedSender {
  readonly #provider: Provider;
  readonly #randomness: Randomness;
  readonly #aead: Aead;
  /** The identity that the last message was opened with: X25519. Valid until the next call. */
  readonly senderKey: Uint8Array = new Uint8Array(KEY_BYTES);

  // The head of the message in hand; it is what c2 is bound to.
  readonly #head = new Uint8Array(CONTENT_AT);
  readonly #beforeIdentity = this.#head.subarray(0, IDENTITY_AT);
  readonly #ephemeralPublic = this.#head.subarray(EPHEMERAL_AT, IDENTITY_AT);
  readonly #sealedIdentity = this.#head.subarray(IDENTITY_AT);

  // The salts, with a place for each part that varies.
  readonly #firstSalt = concatBytes(LABEL, new Uint8Array(2 * KEY_BYTES));
  readonly #saltRecipient = this.#firstSalt.subarray(LABEL.length, LABEL.length + KEY_BYTES);
  readonly #saltEphemeral = this.#firstSalt.subarray(LABEL.length + KEY_BYTES);
  readonly #secondSalt = new Uint8Array(KEY_BYTES + KEY_BYTES + TAG_BYTES);
  readonly #saltSealedIdentity = this.#secondSalt.subarray(KEY_BYTES);

  // All secrets of a call stand together, to be wiped by one.
  readonly #secrets = new Uint8Array(5 * KEY_BYTES);
  readonly #ephemeral = this.#secrets.subarray(0, KEY_BYTES);
  readonly #shared = this.#secrets.subarray(KEY_BYTES, 2 * KEY_BYTES);
  readonly #chainAndFirstKey = this.#secrets.subarray(2 * KEY_BYTES, 4 * KEY_BYTES);
  readonly #chain = this.#chainAndFirstKey.subarray(0, KEY_BYTES);
  readonly #firstKey = this.#chainAndFirstKey.subarray(KEY_BYTES);
  readonly #secondKey = this.#secrets.subarray(4 * KEY_BYTES);

  constructor(provider: Provider, randomness: Randomness, aead: Aead) {
    this.#provider = provider;
    this.#randomness = randomness;
    this.#aead = aead;
    this.#head[0] = VERSION;
  }

  /**
   * One key generation, two X25519, two HKDF, two AEAD. The agreement of the identity keys is the
   * same for all messages of a pair and is computed each time, as libsignal does.
   *
   * @param out Exactly `content.length + SEALED_SENDER_BYTES` bytes.
   * @param sender The sender's X25519 identity and its public key.
   * @throws RefusedError when the recipient's key is a low-order point.
   */
  seal(
    out: Uint8Array,
    sender: KeyHandle,
    senderPublic: Uint8Array,
    recipientPublic: Uint8Array,
    content: Uint8Array,
  ): void {
    const provider = this.#provider;
    try {
      this.#randomness.fill(this.#ephemeral);
      provider.x25519Public(this.#ephemeralPublic, this.#ephemeral);
      provider.x25519(this.#shared, this.#ephemeral, recipientPublic);
      this.#deriveFirst(recipientPublic);
      this.#aead.seal(
        this.#sealedIdentity,
        this.#firstKey,
        NONCE,
        this.#beforeIdentity,
        senderPublic,
      );
      provider.x25519(this.#shared, sender, recipientPublic);
      this.#deriveSecond();
      out.set(this.#head);
      this.#aead.seal(out.subarray(CONTENT_AT), this.#secondKey, NONCE, this.#head, content);
    } finally {
      this.#secrets.fill(0);
    }
  }

  /**
   * Two X25519, two HKDF, two AEAD. Leaves in `senderKey` who sealed it.
   *
   * @param content Exactly `sealed.length - SEALED_SENDER_BYTES` bytes, where the message has that
   *   many; its content is unspecified after a refusal.
   * @param recipient The recipient's X25519 identity and its public key.
   */
  open(
    content: Uint8Array,
    recipient: KeyHandle,
    recipientPublic: Uint8Array,
    sealed: Uint8Array,
  ): boolean {
    if (sealed.length < SEALED_SENDER_BYTES || sealed[0] !== VERSION) return false;
    const head = this.#head;
    for (let i = 0; i < CONTENT_AT; i++) head[i] = sealed[i]!;
    try {
      if (!this.#agree(recipient, this.#ephemeralPublic)) return false;
      this.#deriveFirst(recipientPublic);
      const identity = this.#sealedIdentity;
      const before = this.#beforeIdentity;
      if (!this.#aead.open(this.senderKey, this.#firstKey, NONCE, before, identity)) return false;
      if (!this.#agree(recipient, this.senderKey)) return false;
      this.#deriveSecond();
      const ciphertext = sealed.subarray(CONTENT_AT);
      return this.#aead.open(content, this.#secondKey, NONCE, head, ciphertext);
    } finally {
      this.#secrets.fill(0);
    }
  }

  /** X25519 for a receiver, to whom a key of low order is one more thing that does not open. */
  #agree(recipient: KeyHandle, publicKey: Uint8Array): boolean {
    try {
      this.#provider.x25519(this.#shared, recipient, publicKey);
      return true;
    } catch (error) {
      if (error instanceof RefusedError) return false;
      throw error;
    }
  }

  #deriveFirst(recipientPublic: Uint8Array): void {
    this.#saltRecipient.set(recipientPublic);
    this.#saltEphemeral.set(this.#ephemeralPublic);
    this.#provider.hkdfSha256(this.#chainAndFirstKey, this.#firstSalt, this.#shared, EMPTY);
  }

  #deriveSecond(): void {
    this.#secondSalt.set(this.#chain);
    this.#saltSealedIdentity.set(this.#sealedIdentity);
    this.#provider.hkdfSha256(this.#secondKey, this.#secondSalt, this.#shared, EMPTY);
    this.#secondSalt.fill(0, 0, KEY_BYTES);
  }
}

// The places in a certificate, see `SenderCertificate`.
const EXPIRY_AT = 4;
const IDENTITIES_AT = 8;
const SERVER_ID_AT = IDENTITIES_AT + IDENTITY_BYTES;
const SERVER_KEY_AT = SERVER_ID_AT + 4;
const ROOT_SIGNATURE_AT = SERVER_KEY_AT + KEY_BYTES;
const SERVER_SIGNATURE_AT = ROOT_SIGNATURE_AT + SIGNATURE_BYTES;

export const SENDER_CERTIFICATE_BYTES: number = SERVER_SIGNATURE_AT + SIGNATURE_BYTES;

/**
 * A sender certificate, with the certificate of the key that signed it; ids are big-endian.
 *
 * | bytes | what |
 * | --- | --- |
 * | 4 | user |
 * | 4 | the last day on which it is valid, counted from the start of the simulated world |
 * | 64 | the user's identity: X25519, Ed25519 |
 * | 4 + 32 | id and Ed25519 key of the server that signs |
 * | 64 | the trust root's signature of the server's id and key |
 * | 64 | the server's signature of all before it |
 *
 * One instance is read again for each message: `load`, or write to `bytes`.
 */
export class SenderCertificate {
  readonly bytes: Uint8Array = new Uint8Array(SENDER_CERTIFICATE_BYTES);
  readonly identity: Uint8Array = this.bytes.subarray(IDENTITIES_AT, SERVER_ID_AT);
  /** The server's id and key. */
  readonly server: Uint8Array = this.bytes.subarray(SERVER_ID_AT, ROOT_SIGNATURE_AT);
  readonly serverKey: Uint8Array = this.bytes.subarray(SERVER_KEY_AT, ROOT_SIGNATURE_AT);
  readonly rootSignature: Uint8Array = this.bytes.subarray(ROOT_SIGNATURE_AT, SERVER_SIGNATURE_AT);
  readonly signed: Uint8Array = this.bytes.subarray(0, SERVER_SIGNATURE_AT);
  readonly serverSignature: Uint8Array = this.bytes.subarray(SERVER_SIGNATURE_AT);

  /** Copies the certificate that `content` begins with. */
  load(content: Uint8Array): void {
    for (let i = 0; i < SENDER_CERTIFICATE_BYTES; i++) this.bytes[i] = content[i]!;
  }

  get user(): number {
    return getUint32(this.bytes, 0);
  }
  set user(value: number) {
    putUint32(this.bytes, 0, value);
  }
  get expiryDay(): number {
    return getUint32(this.bytes, EXPIRY_AT);
  }
  set expiryDay(value: number) {
    putUint32(this.bytes, EXPIRY_AT, value);
  }

  /** Whether both signatures verify: two Ed25519 verifications. Says nothing of the expiry. */
  isSignedUnder(trustRoot: Uint8Array, provider: Provider): boolean {
    return (
      provider.ed25519Verify(this.rootSignature, trustRoot, this.server) &&
      provider.ed25519Verify(this.serverSignature, this.serverKey, this.signed)
    );
  }
}

/** Who certifies users: a trust root, which clients know, and one server key under it. */
export class CertificateAuthority {
  /** The Ed25519 key that clients know beforehand. */
  readonly trustRoot: Uint8Array = new Uint8Array(KEY_BYTES);
  /** Certificates issued so far, one Ed25519 signature each. */
  issued = 0;
  readonly #provider: Provider;
  readonly #serverKey: KeyHandle;
  readonly #certificate = new SenderCertificate();

  /** Two key generations and one signature. */
  constructor(provider: Provider, randomness: Randomness) {
    this.#provider = provider;
    const seeds = new Uint8Array(2 * KEY_BYTES);
    const rootSeed = seeds.subarray(0, KEY_BYTES);
    const serverSeed = seeds.subarray(KEY_BYTES);
    randomness.fill(rootSeed);
    randomness.fill(serverSeed);
    provider.ed25519Public(this.trustRoot, rootSeed);
    this.#serverKey = provider.ed25519Handle(serverSeed);
    const { server, serverKey, rootSignature } = this.#certificate;
    putUint32(server, 0, SERVER_ID);
    provider.ed25519Public(serverKey, serverSeed);
    provider.ed25519Sign(rootSignature, provider.ed25519Handle(rootSeed), server);
    seeds.fill(0);
  }

  /**
   * @param out `SENDER_CERTIFICATE_BYTES` bytes.
   * @param identity Both identity keys, 64 bytes.
   */
  issue(out: Uint8Array, user: number, identity: Uint8Array, expiryDay: number): void {
    const certificate = this.#certificate;
    certificate.user = user;
    certificate.expiryDay = expiryDay;
    certificate.identity.set(identity);
    const { serverSignature, signed } = certificate;
    this.#provider.ed25519Sign(serverSignature, this.#serverKey, signed);
    out.set(certificate.bytes);
    this.issued += 1;
  }
}
