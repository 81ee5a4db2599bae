/**
 * An authenticated hop between a client device and the relay, with AEAD records.
 *
 * It has the shape and the cost of a full TLS 1.3 handshake (RFC 8446) and it is NOT TLS: there is
 * no negotiation, no certificate chain, no resumption, no alert and no key update. What it takes
 * from RFC 8446 unchanged: X25519 key shares, the key schedule with a zero PSK (§7.1), the input of
 * the relay's signature (§4.4.3), the Finished messages (§4.4.4), and per-record nonces and content
 * types (§5.2, §5.3). Where it differs:
 *
 * - Clients know the relay's Ed25519 public key beforehand. It enters the transcript as if it were a
 *   Certificate message, and is not sent.
 * - The signature is over a context string of our own, so that it is of no use to real TLS.
 * - The client authenticates by a bearer token of 32 bytes, in place of a certificate.
 * - After the relay's Finished the transcript goes on from its hash, as §4.4.1 does after a
 *   HelloRetryRequest, so that the relay need not keep the messages of half-open handshakes.
 * - A record carries up to 1 MiB, not 2^14 bytes: the second byte of the legacy version gives way to
 *   a length of three bytes. Records are not padded. A record that does not open is refused and
 *   changes nothing, where TLS closes the connection.
 *
 * Rekeying is out of scope: a direction carries at most 2^32 - 1 records and then refuses to seal.
 * With AES-256-GCM the confidentiality limit of RFC 8446 §5.5 (2^24.5 records of 2^14 bytes) comes
 * earlier and is not enforced.
 *
 * @module
 */

import { concatBytes, EMPTY, getUint32, putUint16, putUint32, utf8 } from '../core/bytes.ts';
import { HarnessError } from '../core/errors.ts';
import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  ED25519_PUBLIC_BYTES,
  ED25519_SIGNATURE_BYTES,
  RefusedError,
  SHA256_BYTES,
  X25519_BYTES,
} from '../crypto/provider.ts';
import type { Aead, AeadName, KeyHandle, Provider } from '../crypto/provider.ts';
import type { Randomness } from '../crypto/randomness.ts';

/** What a record adds to its content: header 5, content type 1, tag 16. */
export const HOP_OVERHEAD_BYTES = 22;
/** The longest content of one record. */
export const HOP_CONTENT_BYTES_MAX = 1 << 20;
export const HOP_TOKEN_BYTES = 32;

/** What was malformed, not authentic, out of order or out of turn is refused with this. */
export const HOP_REFUSED = -1;

/** The long-lived signing key of a relay. */
export interface RelayKeys {
  /** From `ed25519Handle` of the same provider. */
  readonly signingKey: KeyHandle;
  readonly publicKey: Uint8Array;
}

// The state of one end of one hop: 97 bytes, the whole truth, to be kept, copied and serialised at
// will. Zeroes are an end that has not begun.
//
//   byte  open hop                  client, waiting         relay, waiting
//      0  send key                  ephemeral secret        client_handshake_traffic_secret
//     32  send iv (12)              its random              master secret
//     44  receive key, 76 iv (12)     .. to 64, then        .. to 64, then transcript hash
//     88  records sent (4)          its key share           .. to 96
//     92  records received (4)        .. to 96
//     96  phase
const SEND_AT = 0;
const RECEIVE_AT = AEAD_KEY_BYTES + AEAD_NONCE_BYTES;
const SENT_AT = 2 * RECEIVE_AT;
const RECEIVED_AT = SENT_AT + 4;
const PHASE_AT = RECEIVED_AT + 4;

/** The size of the state of one end of one hop, in progress or open. */
export const HOP_STATE_BYTES = PHASE_AT + 1;

const PHASE_CLIENT_WAITS = 1;
const PHASE_RELAY_WAITS = 2;
const PHASE_OPEN = 3;

const SEQUENCE_MAX = 0xffff_ffff;

// Content types, RFC 8446 §5.1.
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
const HEADER_BYTES = 5;
const CONTENT_TYPE_BYTES = 1;

// Handshake messages, RFC 8446 §4: type, length in three bytes, content.
const MESSAGE_HEADER_BYTES = 4;
const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const CERTIFICATE = 11;
const CERTIFICATE_VERIFY = 15;
const FINISHED = 20;
const BEARER_TOKEN = 224; // IANA: 224 to 255 are for private use.
const MESSAGE_HASH = 254;

const SUITE_BYTES = 2;
/** 0xff means private use (RFC 8446 §B.4); the second byte is that of RFC 9180 §7.3. */
const SUITES: Readonly<Record<AeadName, number>> = {
  'aes-256-gcm': 0xff02,
  'chacha20-poly1305': 0xff03,
};

const RANDOM_BYTES = 32;
const RANDOM_AT = MESSAGE_HEADER_BYTES + SUITE_BYTES;
const SHARE_AT = RANDOM_AT + RANDOM_BYTES;
const HELLO_BYTES = SHARE_AT + X25519_BYTES;
const CERTIFICATE_BYTES = MESSAGE_HEADER_BYTES + ED25519_PUBLIC_BYTES;
const VERIFY_BYTES = MESSAGE_HEADER_BYTES + ED25519_SIGNATURE_BYTES;
const FINISHED_BYTES = MESSAGE_HEADER_BYTES + SHA256_BYTES;
const TOKEN_MESSAGE_BYTES = MESSAGE_HEADER_BYTES + HOP_TOKEN_BYTES;
const RELAY_PROOF_BYTES = VERIFY_BYTES + FINISHED_BYTES;
const CLIENT_PROOF_BYTES = TOKEN_MESSAGE_BYTES + FINISHED_BYTES;

/** The three flights of a handshake, in bytes. */
export const HOP_HELLO_BYTES = HELLO_BYTES;
export const HOP_ANSWER_BYTES: number = HELLO_BYTES + RELAY_PROOF_BYTES + HOP_OVERHEAD_BYTES;
export const HOP_FINISH_BYTES: number = CLIENT_PROOF_BYTES + HOP_OVERHEAD_BYTES;

// The transcript, as far as the relay's Finished. Positions are those of the messages' ends.
const AFTER_CLIENT_HELLO = HELLO_BYTES;
const AFTER_SERVER_HELLO = AFTER_CLIENT_HELLO + HELLO_BYTES;
const AFTER_CERTIFICATE = AFTER_SERVER_HELLO + CERTIFICATE_BYTES;
const AFTER_VERIFY = AFTER_CERTIFICATE + VERIFY_BYTES;
const AFTER_FINISHED = AFTER_VERIFY + FINISHED_BYTES;

/** The form of RFC 8446 §4.4.3: 64 spaces, a context string, a zero byte, the transcript hash. */
const SIGNED_PREFIX = concatBytes(
  new Uint8Array(64).fill(0x20),
  utf8('sealbench hop, relay CertificateVerify'),
  Uint8Array.of(0),
);

const ZEROES = new Uint8Array(SHA256_BYTES);

/** Contents up to this length find the views of their scratch memory ready made. */
const VIEWS_KEPT = 4096;

/**
 * The hop with one provider, one source of randomness and one AEAD. Built once; it owns all scratch
 * memory, so that a call allocates nothing but a few views. One object serves any number of hops,
 * and both ends of them; only the states differ.
 *
 * A handshake costs each end one X25519 public key, one X25519, one Ed25519 signature (the relay) or
 * its verification (the client), and 19 HMACs. A record costs one AEAD call and a copy of its
 * content, as content and content type must be contiguous. The scratch memory holds the content of
 * the last record until the next; secrets of a handshake are wiped from it at the handshake's steps.
 */
export class Hop {
  readonly #provider: Provider;
  readonly #randomness: Randomness;
  readonly #aead: Aead;

  // The key schedule, RFC 8446 §7.1.
  readonly #emptyHash = new Uint8Array(SHA256_BYTES);
  /** Derive-Secret(Early Secret, "derived", ""): a constant, as there is no PSK. */
  readonly #earlyDerived = new Uint8Array(SHA256_BYTES);
  readonly #derived: ExpandLabel;
  readonly #clientHandshakeTraffic: ExpandLabel;
  readonly #relayHandshakeTraffic: ExpandLabel;
  readonly #clientTraffic: ExpandLabel;
  readonly #relayTraffic: ExpandLabel;
  readonly #key: ExpandLabel;
  readonly #iv: ExpandLabel;
  readonly #finished: ExpandLabel;

  // The transcript of the handshake in hand; the constant parts of its messages are always there.
  readonly #transcript = new Uint8Array(AFTER_FINISHED);
  readonly #clientHello = this.#transcript.subarray(0, AFTER_CLIENT_HELLO);
  readonly #relayHello = this.#transcript.subarray(AFTER_CLIENT_HELLO, AFTER_SERVER_HELLO);
  readonly #relayProof = this.#transcript.subarray(AFTER_CERTIFICATE, AFTER_FINISHED);
  readonly #toServerHello = this.#transcript.subarray(0, AFTER_SERVER_HELLO);
  readonly #toCertificate = this.#transcript.subarray(0, AFTER_CERTIFICATE);
  readonly #toVerify = this.#transcript.subarray(0, AFTER_VERIFY);
  readonly #clientRandom = this.#clientHello.subarray(RANDOM_AT, SHARE_AT);
  readonly #clientShare = this.#clientHello.subarray(SHARE_AT);
  readonly #relayRandom = this.#relayHello.subarray(RANDOM_AT, SHARE_AT);
  readonly #relayShare = this.#relayHello.subarray(SHARE_AT);
  readonly #relayPublicKey = contentOf(this.#transcript, AFTER_SERVER_HELLO, CERTIFICATE_BYTES);
  readonly #signature = contentOf(this.#relayProof, 0, VERIFY_BYTES);
  readonly #relayFinished = contentOf(this.#relayProof, VERIFY_BYTES, FINISHED_BYTES);
  /** The hash of the transcript so far as a message of its own, and the token: RFC 8446 §4.4.1. */
  readonly #continued = new Uint8Array(FINISHED_BYTES + TOKEN_MESSAGE_BYTES);
  readonly #transcriptHash = contentOf(this.#continued, 0, FINISHED_BYTES);
  readonly #clientProof = new Uint8Array(CLIENT_PROOF_BYTES);
  readonly #token = contentOf(this.#clientProof, 0, TOKEN_MESSAGE_BYTES);
  readonly #clientFinished = contentOf(this.#clientProof, TOKEN_MESSAGE_BYTES, FINISHED_BYTES);
  readonly #signed = concatBytes(SIGNED_PREFIX, ZEROES);
  readonly #signedHash = this.#signed.subarray(SIGNED_PREFIX.length);
  readonly #hash = new Uint8Array(SHA256_BYTES);

  // All secrets of the handshake in hand stand together, to be wiped by one call.
  readonly #secrets = new Uint8Array(9 * SHA256_BYTES + RECEIVE_AT);
  readonly #fresh = this.#secrets.subarray(0, X25519_BYTES + RANDOM_BYTES);
  readonly #ephemeral = this.#fresh.subarray(0, X25519_BYTES);
  readonly #random = this.#fresh.subarray(X25519_BYTES);
  readonly #shared = secretAt(this.#secrets, 2);
  readonly #handshakeSecret = secretAt(this.#secrets, 3);
  readonly #master = secretAt(this.#secrets, 4);
  readonly #clientSecret = secretAt(this.#secrets, 5);
  readonly #relaySecret = secretAt(this.#secrets, 6);
  readonly #finishedKey = secretAt(this.#secrets, 7);
  readonly #verifyData = secretAt(this.#secrets, 8);
  readonly #handshakeKeys = this.#secrets.subarray(9 * SHA256_BYTES);

  // Records.
  readonly #header = Uint8Array.of(APPLICATION_DATA, 3, 0, 0, 0);
  readonly #nonce = new Uint8Array(AEAD_NONCE_BYTES);
  #inner = new Uint8Array(VIEWS_KEPT + CONTENT_TYPE_BYTES);
  #views: (Uint8Array | undefined)[] = noViews();

  /** @throws HarnessError UNSUPPORTED when the provider lacks the AEAD. */
  constructor(
    provider: Provider,
    randomness: Randomness,
    aeadName: AeadName = 'chacha20-poly1305',
  ) {
    const aead = provider.aead[aeadName];
    if (aead === undefined) {
      throw new HarnessError('UNSUPPORTED', `provider ${provider.name} has no ${aeadName}`);
    }
    this.#provider = provider;
    this.#randomness = randomness;
    this.#aead = aead;

    this.#derived = deriveSecret(provider, 'derived');
    this.#clientHandshakeTraffic = deriveSecret(provider, 'c hs traffic');
    this.#relayHandshakeTraffic = deriveSecret(provider, 's hs traffic');
    this.#clientTraffic = deriveSecret(provider, 'c ap traffic');
    this.#relayTraffic = deriveSecret(provider, 's ap traffic');
    this.#key = new ExpandLabel(provider, 'key', AEAD_KEY_BYTES, 0);
    this.#iv = new ExpandLabel(provider, 'iv', AEAD_NONCE_BYTES, 0);
    this.#finished = new ExpandLabel(provider, 'finished', SHA256_BYTES, 0);
    const earlySecret = new Uint8Array(SHA256_BYTES);
    provider.sha256(this.#emptyHash, EMPTY);
    provider.hmacSha256(earlySecret, ZEROES, ZEROES);
    this.#derived.derive(this.#earlyDerived, earlySecret, this.#emptyHash);

    putMessage(this.#clientHello, 0, CLIENT_HELLO, HELLO_BYTES);
    putUint16(this.#clientHello, MESSAGE_HEADER_BYTES, SUITES[aeadName]);
    putMessage(this.#relayHello, 0, SERVER_HELLO, HELLO_BYTES);
    putUint16(this.#relayHello, MESSAGE_HEADER_BYTES, SUITES[aeadName]);
    putMessage(this.#transcript, AFTER_SERVER_HELLO, CERTIFICATE, CERTIFICATE_BYTES);
    putMessage(this.#relayProof, 0, CERTIFICATE_VERIFY, VERIFY_BYTES);
    putMessage(this.#relayProof, VERIFY_BYTES, FINISHED, FINISHED_BYTES);
    putMessage(this.#continued, 0, MESSAGE_HASH, FINISHED_BYTES);
    putMessage(this.#continued, FINISHED_BYTES, BEARER_TOKEN, TOKEN_MESSAGE_BYTES);
    putMessage(this.#clientProof, 0, BEARER_TOKEN, TOKEN_MESSAGE_BYTES);
    putMessage(this.#clientProof, TOKEN_MESSAGE_BYTES, FINISHED, FINISHED_BYTES);
  }

  /**
   * The first flight, from the client. Whatever the state held is gone.
   *
   * @returns The bytes written: `HOP_HELLO_BYTES`.
   */
  clientHello(state: Uint8Array, out: Uint8Array): number {
    expectState(state);
    expectRoom(out, HOP_HELLO_BYTES);
    this.#randomness.fill(this.#fresh);
    this.#provider.x25519Public(this.#clientShare, this.#ephemeral);
    this.#clientRandom.set(this.#random);
    state.set(this.#fresh);
    state.set(this.#clientShare, this.#fresh.length);
    state[PHASE_AT] = PHASE_CLIENT_WAITS;
    out.set(this.#clientHello);
    this.#secrets.fill(0);
    return HOP_HELLO_BYTES;
  }

  /**
   * The second flight, from the relay: its key share, and its signature and Finished encrypted.
   * Whatever the state held is gone.
   *
   * @returns The bytes written: `HOP_ANSWER_BYTES`, or `HOP_REFUSED`, and then the state is zero.
   */
  relayAnswer(state: Uint8Array, relayKeys: RelayKeys, hello: Uint8Array, out: Uint8Array): number {
    expectState(state);
    expectRoom(out, HOP_ANSWER_BYTES);
    expectLength('relayKeys.publicKey', relayKeys.publicKey, ED25519_PUBLIC_BYTES);
    state.fill(0);
    if (hello.length !== HELLO_BYTES || !agrees(hello, this.#clientHello, 0, RANDOM_AT)) {
      return HOP_REFUSED;
    }
    const provider = this.#provider;
    this.#clientHello.set(hello);
    this.#randomness.fill(this.#fresh);
    if (!this.#agree(this.#ephemeral, this.#clientShare)) {
      this.#secrets.fill(0);
      return HOP_REFUSED;
    }
    provider.x25519Public(this.#relayShare, this.#ephemeral);
    this.#relayRandom.set(this.#random);
    this.#relayPublicKey.set(relayKeys.publicKey);
    this.#deriveHandshakeSecrets();

    provider.sha256(this.#signedHash, this.#toCertificate);
    provider.ed25519Sign(this.#signature, relayKeys.signingKey, this.#signed);
    provider.sha256(this.#hash, this.#toVerify);
    this.#computeFinished(this.#relayFinished, this.#relaySecret, this.#hash);
    provider.sha256(this.#hash, this.#transcript);

    out.set(this.#relayHello);
    this.#writeTrafficKeys(this.#handshakeKeys, 0, this.#relaySecret);
    this.#view(RELAY_PROOF_BYTES).set(this.#relayProof);
    this.#protect(out, HELLO_BYTES, this.#handshakeKeys, 0, HANDSHAKE, RELAY_PROOF_BYTES);

    state.set(this.#clientSecret);
    state.set(this.#master, SHA256_BYTES);
    state.set(this.#hash, 2 * SHA256_BYTES);
    state[PHASE_AT] = PHASE_RELAY_WAITS;
    this.#secrets.fill(0);
    return HOP_ANSWER_BYTES;
  }

  /**
   * The third flight, from the client: its token and Finished, encrypted. The hop is open then.
   *
   * @param relayPublicKey The relay's Ed25519 key as the client knows it.
   * @param token The 32 bytes that say who the client is.
   * @returns The bytes written: `HOP_FINISH_BYTES`, or `HOP_REFUSED`, and then the state is zero
   *   unless it was not waiting for an answer.
   */
  clientFinish(
    state: Uint8Array,
    relayPublicKey: Uint8Array,
    answer: Uint8Array,
    token: Uint8Array,
    out: Uint8Array,
  ): number {
    expectState(state);
    expectRoom(out, HOP_FINISH_BYTES);
    expectLength('relayPublicKey', relayPublicKey, ED25519_PUBLIC_BYTES);
    expectLength('token', token, HOP_TOKEN_BYTES);
    if (state[PHASE_AT] !== PHASE_CLIENT_WAITS) return HOP_REFUSED;
    this.#clientRandom.set(state.subarray(X25519_BYTES, X25519_BYTES + RANDOM_BYTES));
    this.#clientShare.set(state.subarray(X25519_BYTES + RANDOM_BYTES, PHASE_AT));
    this.#ephemeral.set(state.subarray(0, X25519_BYTES));
    state.fill(0);
    const accepted = this.#acceptAnswer(relayPublicKey, answer);
    if (accepted) {
      this.#provider.sha256(this.#transcriptHash, this.#transcript);
      this.#token.set(token);
      this.#computeClientFinished(this.#clientFinished, token);
      this.#writeTrafficKeys(this.#handshakeKeys, 0, this.#clientSecret);
      this.#view(CLIENT_PROOF_BYTES).set(this.#clientProof);
      this.#protect(out, 0, this.#handshakeKeys, 0, HANDSHAKE, CLIENT_PROOF_BYTES);
      this.#open(state, SEND_AT, RECEIVE_AT);
    }
    this.#wipeClientProof();
    return accepted ? HOP_FINISH_BYTES : HOP_REFUSED;
  }

  /**
   * The end of the handshake, at the relay.
   *
   * @param expectedToken That of the client from whom this hop is said to be.
   * @returns Whether the hop is open. If not, the state is zero unless it was not waiting for this.
   */
  relayFinish(state: Uint8Array, expectedToken: Uint8Array, flight: Uint8Array): boolean {
    expectState(state);
    expectLength('expectedToken', expectedToken, HOP_TOKEN_BYTES);
    if (state[PHASE_AT] !== PHASE_RELAY_WAITS) return false;
    this.#clientSecret.set(state.subarray(0, SHA256_BYTES));
    this.#master.set(state.subarray(SHA256_BYTES, 2 * SHA256_BYTES));
    this.#transcriptHash.set(state.subarray(2 * SHA256_BYTES, PHASE_AT));
    state.fill(0);
    const accepted = this.#acceptClientProof(expectedToken, flight);
    if (accepted) this.#open(state, RECEIVE_AT, SEND_AT);
    this.#wipeClientProof();
    return accepted;
  }

  /**
   * One record with application data.
   *
   * @param plaintext 0 bytes to 1 MiB.
   * @returns The bytes written: `plaintext.length + 22`, or `HOP_REFUSED` when the hop is not open
   *   or its sequence numbers are used up.
   */
  sealRecord(state: Uint8Array, out: Uint8Array, plaintext: Uint8Array): number {
    expectState(state);
    if (plaintext.length > HOP_CONTENT_BYTES_MAX) {
      throw new RangeError(`"plaintext" expected at most 1 MiB, got ${plaintext.length} bytes`);
    }
    expectRoom(out, plaintext.length + HOP_OVERHEAD_BYTES);
    const sequence = getUint32(state, SENT_AT);
    if (state[PHASE_AT] !== PHASE_OPEN || sequence === SEQUENCE_MAX) return HOP_REFUSED;
    this.#view(plaintext.length + CONTENT_TYPE_BYTES).set(plaintext);
    this.#protect(out, 0, state, sequence, APPLICATION_DATA, plaintext.length);
    putUint32(state, SENT_AT, sequence + 1);
    return plaintext.length + HOP_OVERHEAD_BYTES;
  }

  /**
   * @param out At least `record.length - 22` bytes; untouched by a refusal.
   * @returns The length of the content, or `HOP_REFUSED`, and then the state is as it was.
   */
  openRecord(state: Uint8Array, out: Uint8Array, record: Uint8Array): number {
    expectState(state);
    expectRoom(out, record.length - HOP_OVERHEAD_BYTES);
    const sequence = getUint32(state, RECEIVED_AT);
    if (state[PHASE_AT] !== PHASE_OPEN || sequence === SEQUENCE_MAX) return HOP_REFUSED;
    const length = this.#unprotect(state, RECEIVE_AT, sequence, APPLICATION_DATA, record);
    if (length < 0) return HOP_REFUSED;
    out.set(this.#view(length));
    putUint32(state, RECEIVED_AT, sequence + 1);
    return length;
  }

  /** Leaves in `#clientSecret` and `#master` what the rest of the client's part needs. */
  #acceptAnswer(relayPublicKey: Uint8Array, answer: Uint8Array): boolean {
    if (answer.length !== HOP_ANSWER_BYTES) return false;
    if (!agrees(answer, this.#relayHello, 0, RANDOM_AT)) return false;
    this.#relayHello.set(answer.subarray(0, HELLO_BYTES));
    this.#relayPublicKey.set(relayPublicKey);
    if (!this.#agree(this.#ephemeral, this.#relayShare)) return false;
    this.#deriveHandshakeSecrets();

    this.#writeTrafficKeys(this.#handshakeKeys, 0, this.#relaySecret);
    const record = answer.subarray(HELLO_BYTES);
    if (this.#unprotect(this.#handshakeKeys, 0, 0, HANDSHAKE, record) < 0) return false;
    const proof = this.#view(RELAY_PROOF_BYTES);
    if (!agrees(proof, this.#relayProof, 0, MESSAGE_HEADER_BYTES)) return false;
    if (!agrees(proof, this.#relayProof, VERIFY_BYTES, MESSAGE_HEADER_BYTES)) return false;
    this.#relayProof.set(proof);

    const provider = this.#provider;
    provider.sha256(this.#signedHash, this.#toCertificate);
    if (!provider.ed25519Verify(this.#signature, relayPublicKey, this.#signed)) return false;
    provider.sha256(this.#hash, this.#toVerify);
    this.#computeFinished(this.#verifyData, this.#relaySecret, this.#hash);
    return equalSecrets(this.#verifyData, this.#relayFinished);
  }

  #acceptClientProof(expectedToken: Uint8Array, flight: Uint8Array): boolean {
    if (flight.length !== HOP_FINISH_BYTES) return false;
    this.#writeTrafficKeys(this.#handshakeKeys, 0, this.#clientSecret);
    if (this.#unprotect(this.#handshakeKeys, 0, 0, HANDSHAKE, flight) < 0) return false;
    const proof = this.#view(CLIENT_PROOF_BYTES);
    const expected = this.#clientProof;
    if (!agrees(proof, expected, 0, MESSAGE_HEADER_BYTES)) return false;
    if (!agrees(proof, expected, TOKEN_MESSAGE_BYTES, MESSAGE_HEADER_BYTES)) return false;
    expected.set(proof);

    this.#computeClientFinished(this.#verifyData, this.#token);
    if (!equalSecrets(this.#verifyData, this.#clientFinished)) return false;
    return equalSecrets(expectedToken, this.#token);
  }

  /** X25519 with the other end's key, where a key of low order is a refusal. */
  #agree(secret: Uint8Array, publicKey: Uint8Array): boolean {
    try {
      this.#provider.x25519(this.#shared, secret, publicKey);
      return true;
    } catch (error) {
      if (error instanceof RefusedError) return false;
      throw error;
    }
  }

  /** From the shared secret to the Master Secret, RFC 8446 §7.1. */
  #deriveHandshakeSecrets(): void {
    const provider = this.#provider;
    const handshakeSecret = this.#handshakeSecret;
    provider.hmacSha256(handshakeSecret, this.#earlyDerived, this.#shared);
    provider.sha256(this.#hash, this.#toServerHello);
    this.#clientHandshakeTraffic.derive(this.#clientSecret, handshakeSecret, this.#hash);
    this.#relayHandshakeTraffic.derive(this.#relaySecret, handshakeSecret, this.#hash);
    this.#derived.derive(this.#shared, handshakeSecret, this.#emptyHash);
    provider.hmacSha256(this.#master, this.#shared, ZEROES);
  }

  /** verify_data, RFC 8446 §4.4.4. */
  #computeFinished(out: Uint8Array, trafficSecret: Uint8Array, transcriptHash: Uint8Array): void {
    this.#finished.derive(this.#finishedKey, trafficSecret);
    this.#provider.hmacSha256(out, this.#finishedKey, transcriptHash);
  }

  #computeClientFinished(out: Uint8Array, token: Uint8Array): void {
    this.#continued.set(token, FINISHED_BYTES + MESSAGE_HEADER_BYTES);
    this.#provider.sha256(this.#hash, this.#continued);
    this.#computeFinished(out, this.#clientSecret, this.#hash);
  }

  /**
   * Application traffic keys, of the transcript up to the relay's Finished: RFC 8446 §7.1.
   *
   * @param state Zero; so both sequence numbers are.
   */
  #open(state: Uint8Array, clientKeysAt: number, relayKeysAt: number): void {
    this.#clientTraffic.derive(this.#clientSecret, this.#master, this.#transcriptHash);
    this.#relayTraffic.derive(this.#relaySecret, this.#master, this.#transcriptHash);
    this.#writeTrafficKeys(state, clientKeysAt, this.#clientSecret);
    this.#writeTrafficKeys(state, relayKeysAt, this.#relaySecret);
    state[PHASE_AT] = PHASE_OPEN;
  }

  /** key || iv, RFC 8446 §7.3. */
  #writeTrafficKeys(out: Uint8Array, at: number, trafficSecret: Uint8Array): void {
    const ivAt = at + AEAD_KEY_BYTES;
    this.#key.derive(out.subarray(at, ivAt), trafficSecret);
    this.#iv.derive(out.subarray(ivAt, ivAt + AEAD_NONCE_BYTES), trafficSecret);
  }

  /** Seals the first `contentLength` bytes of the scratch memory, with `keys` from their start. */
  #protect(
    out: Uint8Array,
    at: number,
    keys: Uint8Array,
    sequence: number,
    contentType: number,
    contentLength: number,
  ): void {
    const innerLength = contentLength + CONTENT_TYPE_BYTES;
    const inner = this.#view(innerLength);
    inner[contentLength] = contentType;
    const header = this.#header;
    putUint24(header, 2, innerLength + AEAD_TAG_BYTES);
    for (let i = 0; i < HEADER_BYTES; i++) out[at + i] = header[i]!;
    this.#computeNonce(keys, SEND_AT, sequence);
    const sealedAt = at + HEADER_BYTES;
    const sealed = out.subarray(sealedAt, sealedAt + innerLength + AEAD_TAG_BYTES);
    this.#aead.seal(sealed, keys.subarray(0, AEAD_KEY_BYTES), this.#nonce, header, inner);
  }

  /** Opens into the scratch memory. @returns The content's length, or `HOP_REFUSED`. */
  #unprotect(
    keys: Uint8Array,
    keysAt: number,
    sequence: number,
    contentType: number,
    record: Uint8Array,
  ): number {
    const contentLength = record.length - HOP_OVERHEAD_BYTES;
    if (contentLength < 0 || contentLength > HOP_CONTENT_BYTES_MAX) return HOP_REFUSED;
    const header = this.#header;
    putUint24(header, 2, record.length - HEADER_BYTES);
    if (!agrees(record, header, 0, HEADER_BYTES)) return HOP_REFUSED;
    this.#computeNonce(keys, keysAt, sequence);
    const inner = this.#view(contentLength + CONTENT_TYPE_BYTES);
    const key = keys.subarray(keysAt, keysAt + AEAD_KEY_BYTES);
    const sealed = record.subarray(HEADER_BYTES);
    if (!this.#aead.open(inner, key, this.#nonce, header, sealed)) return HOP_REFUSED;
    return inner[contentLength] === contentType ? contentLength : HOP_REFUSED;
  }

  /** RFC 8446 §5.3: the static iv, which follows its key, XOR the sequence number. */
  #computeNonce(keys: Uint8Array, keysAt: number, sequence: number): void {
    const nonce = this.#nonce;
    const ivAt = keysAt + AEAD_KEY_BYTES;
    putUint32(nonce, 8, sequence);
    for (let i = 0; i < 8; i++) nonce[i] = keys[ivAt + i]!;
    for (let i = 8; i < AEAD_NONCE_BYTES; i++) nonce[i]! ^= keys[ivAt + i]!;
  }

  /** The first `length` bytes of the scratch memory. Short views are kept, as making one costs. */
  #view(length: number): Uint8Array {
    if (length > this.#inner.length) {
      this.#inner = new Uint8Array(Math.max(length, 2 * this.#inner.length));
      this.#views = noViews();
    }
    if (length > VIEWS_KEPT) return this.#inner.subarray(0, length);
    let view = this.#views[length];
    if (view === undefined) {
      view = this.#inner.subarray(0, length);
      this.#views[length] = view;
    }
    return view;
  }

  #wipeClientProof(): void {
    this.#secrets.fill(0);
    this.#token.fill(0);
    this.#continued.fill(0, FINISHED_BYTES + MESSAGE_HEADER_BYTES);
    this.#view(CLIENT_PROOF_BYTES).fill(0);
  }
}

/**
 * HKDF-Expand-Label, RFC 8446 §7.1, for one label, one length of at most 32 bytes and one length of
 * context: one HMAC over an input laid out beforehand. Derive-Secret is this with a transcript hash.
 */
export class ExpandLabel {
  readonly #provider: Provider;
  /** HkdfLabel || 0x01, as up to 32 bytes are one block of HKDF-Expand (RFC 5869 §2.3). */
  readonly #input: Uint8Array;
  readonly #context: Uint8Array;
  readonly #block = new Uint8Array(SHA256_BYTES);
  readonly #length: number;

  constructor(provider: Provider, label: string, length: number, contextBytes: number) {
    if (!(length >= 1 && length <= SHA256_BYTES)) {
      throw new RangeError(`"length" expected 1 to ${SHA256_BYTES} bytes, got ${length}`);
    }
    const fullLabel = utf8(`tls13 ${label}`);
    const contextAt = 2 + 1 + fullLabel.length + 1;
    this.#input = new Uint8Array(contextAt + contextBytes + 1);
    putUint16(this.#input, 0, length);
    this.#input[2] = fullLabel.length;
    this.#input.set(fullLabel, 3);
    this.#input[contextAt - 1] = contextBytes;
    this.#input[contextAt + contextBytes] = 1;
    this.#context = this.#input.subarray(contextAt, contextAt + contextBytes);
    this.#provider = provider;
    this.#length = length;
  }

  /** @param out Exactly as many bytes as the label's length says; `context` likewise. */
  derive(out: Uint8Array, secret: Uint8Array, context: Uint8Array = EMPTY): void {
    expectLength('out', out, this.#length);
    expectLength('context', context, this.#context.length);
    this.#context.set(context);
    if (this.#length === SHA256_BYTES) {
      this.#provider.hmacSha256(out, secret, this.#input);
      return;
    }
    this.#provider.hmacSha256(this.#block, secret, this.#input);
    for (let i = 0; i < out.length; i++) out[i] = this.#block[i]!;
    this.#block.fill(0);
  }
}

/** Derive-Secret, RFC 8446 §7.1. */
function deriveSecret(provider: Provider, label: string): ExpandLabel {
  return new ExpandLabel(provider, label, SHA256_BYTES, SHA256_BYTES);
}

function putMessage(out: Uint8Array, at: number, type: number, length: number): void {
  out[at] = type;
  putUint24(out, at + 1, length - MESSAGE_HEADER_BYTES);
}

/** The content of the message of `length` bytes that stands at `at`. */
function contentOf(messages: Uint8Array, at: number, length: number): Uint8Array {
  return messages.subarray(at + MESSAGE_HEADER_BYTES, at + length);
}

function secretAt(secrets: Uint8Array, index: number): Uint8Array {
  return secrets.subarray(index * SHA256_BYTES, (index + 1) * SHA256_BYTES);
}

function putUint24(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 16;
  putUint16(out, at + 1, value);
}

/** Whether both have the same bytes at the same place. Not constant time: for public headers. */
function agrees(bytes: Uint8Array, expected: Uint8Array, at: number, length: number): boolean {
  for (let i = at; i < at + length; i++) if (bytes[i] !== expected[i]) return false;
  return true;
}

/** Takes the same time wherever the two differ. Both are 32 bytes. */
function equalSecrets(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0;
  for (let i = 0; i < SHA256_BYTES; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

function noViews(): (Uint8Array | undefined)[] {
  return Array.from({ length: VIEWS_KEPT + 1 }, () => undefined);
}

function expectState(state: Uint8Array): void {
  expectLength('state', state, HOP_STATE_BYTES);
}

function expectRoom(out: Uint8Array, needed: number): void {
  if (out.length < needed) {
    throw new RangeError(`"out" expected at least ${needed} bytes, got ${out.length}`);
  }
}

function expectLength(name: string, bytes: Uint8Array, expected: number): void {
  if (bytes.length !== expected) {
    throw new RangeError(`"${name}" expected ${expected} bytes, got ${bytes.length}`);
  }
}
