/**
 * What opens to somebody who recorded the frames of a session and has a quantum computer: it gives
 * the private key to every X25519 public key and leaves ML-KEM shut. The attack follows a session
 * either from its handshake or from a device that was copied once; it is given recorded frames,
 * public keys and the oracle, and otherwise only what its caller adds by name.
 */

import { concatBytes, EMPTY, getUint16, getUint32, toHex, utf8 } from '../../src/core/bytes.ts';
import type { Provider } from '../../src/crypto/provider.ts';
import {
  HEADER_BYTES,
  RATCHET_STATE_BYTES,
  RatchetState,
} from '../../src/protocols/double-ratchet.ts';
import { X3dh } from '../../src/protocols/x3dh.ts';
import type { Kept } from './_seized-device.ts';

const TAG_BYTES = 16;
const ACCOUNT_SECRET_BYTES = 96;
const NONCE = new Uint8Array(12);
const ROOT_INFO = utf8('sealbench Double Ratchet root');
const MIX_INFO = utf8('sealbench Double Ratchet mixed secret');

/** Offsets in a frame, after its form, and in a bundle. */
const EPHEMERAL_AT = 65;
const X3DH_HANDSHAKE_BYTES = 104;
const SIGNED_PREKEY_AT = 132;
const ONE_TIME_PREKEY_AT = 232;

/** In a device: five words of L8 stand behind the ratchet's state, the first of them the phase. */
const PHASE_AT: number = ACCOUNT_SECRET_BYTES + RATCHET_STATE_BYTES;
/** What the device keeps for an epoch while it is open. */
export const OPEN_EPOCH_AT: number = PHASE_AT + 20;
const OFFERED = 1;
const KEM_SEED_BYTES = 64;

/** What the frames of a rung have besides those of L6. */
export interface FrameParts {
  /** Bytes of the KEM ciphertext in a handshake: L7 and up. */
  readonly handshakeCiphertextBytes: number;
  /** Whether headers end with the byte of re-keying: L8 and up. */
  readonly rekeys: boolean;
  /** Whether an escrow field stands before the text: type 1, length 2, field. */
  readonly escrowed?: boolean;
}

export const FRAMES_OF_L6: FrameParts = { handshakeCiphertextBytes: 0, rekeys: false };
export const FRAMES_OF_L7: FrameParts = { handshakeCiphertextBytes: 1568, rekeys: false };
export const FRAMES_OF_L8: FrameParts = { handshakeCiphertextBytes: 1568, rekeys: true };

export interface Recorder {
  readonly provider: Provider;
  readonly parts: FrameParts;
  /** Public identities of the initiator and the responder, 64 bytes each. */
  readonly directory: Uint8Array;
  /** The private key to a public key of X25519. */
  readonly x25519Secret: (publicKey: Uint8Array) => Uint8Array;
}

/** What anyone reads in a frame. */
export interface ReadFrame {
  readonly headerAt: number;
  readonly ratchetKey: Uint8Array;
  readonly sentBefore: number; // PN
  readonly n: number; // N
  readonly mixed: boolean;
  readonly key: Uint8Array | undefined;
  readonly ciphertext: Uint8Array | undefined;
  /** Of an escrow design; empty where there is none. */
  readonly field: Uint8Array;
  readonly ciphertextAt: number;
}

export function readFrame(parts: FrameParts, content: Uint8Array): ReadFrame {
  const handshake = X3DH_HANDSHAKE_BYTES + parts.handshakeCiphertextBytes;
  const headerAt = 1 + ((content[0]! & 1) === 0 ? 0 : handshake);
  const headerEnd = headerAt + HEADER_BYTES;
  const bits = parts.rekeys ? content[headerEnd]! : 0;
  const payloadAt = headerEnd + (parts.rekeys ? 1 : 0);
  const keyEnd = payloadAt + ((bits & 2) === 0 ? 0 : 1184);
  const payloadEnd = keyEnd + ((bits & 4) === 0 ? 0 : 1088);
  const fieldAt = payloadEnd + (parts.escrowed === true ? 3 : 0);
  const fieldBytes = parts.escrowed === true ? getUint16(content, fieldAt - 2) : 0;
  return {
    headerAt,
    ratchetKey: content.subarray(headerAt, headerAt + 32),
    sentBefore: getUint32(content, headerAt + 32),
    n: getUint32(content, headerAt + 36),
    mixed: (bits & 1) !== 0,
    key: keyEnd === payloadAt ? undefined : content.subarray(payloadAt, keyEnd),
    ciphertext: payloadEnd === keyEnd ? undefined : content.subarray(keyEnd, payloadEnd),
    field: content.subarray(fieldAt, fieldAt + fieldBytes),
    ciphertextAt: fieldAt + fieldBytes,
  };
}

/**
 * Follows a session from its first frame.
 *
 * @param bundle That of the responder, as it was published.
 * @param kemSecret Of the handshake, where somebody gives it away; no oracle does.
 * @returns The text of each frame that opened.
 */
export function openFromHandshake(
  recorder: Recorder,
  bundle: Uint8Array,
  frames: readonly Kept[],
  kemSecret?: Uint8Array,
): (string | undefined)[] {
  const { provider, directory, x25519Secret } = recorder;
  const ephemeral = frames[0]!.content.subarray(EPHEMERAL_AT, EPHEMERAL_AT + 32);
  const signedPrekey = bundle.subarray(SIGNED_PREKEY_AT, SIGNED_PREKEY_AT + 32);
  const root = new Uint8Array(32);
  new X3dh(provider).initiate(root, {
    identity: provider.x25519Handle(x25519Secret(directory.subarray(0, 32))),
    ephemeralSecret: x25519Secret(ephemeral),
    theirIdentity: directory.subarray(64, 96),
    theirSignedPrekey: signedPrekey,
    theirOneTimePrekey: bundle.subarray(ONE_TIME_PREKEY_AT, ONE_TIME_PREKEY_AT + 32),
    ...(kemSecret === undefined ? {} : { kemSecret }),
  });
  return openFromSecret(recorder, bundle, root, frames);
}

/**
 * The same where the secret of the handshake is known.
 *
 * @param secret SK.
 */
export function openFromSecret(
  recorder: Recorder,
  bundle: Uint8Array,
  secret: Uint8Array,
  frames: readonly Kept[],
): (string | undefined)[] {
  const signedPrekey = bundle.subarray(SIGNED_PREKEY_AT, SIGNED_PREKEY_AT + 32);
  const follower = new Follower(recorder, secret, signedPrekey);
  return frames.map((frame) => follower.open(frame.content));
}

/** Follows a session from the state of a device of it, copied before these frames were sent. */
export function openFromDevice(
  recorder: Recorder,
  seized: Uint8Array,
  frames: readonly Kept[],
): (string | undefined)[] {
  const state = new RatchetState();
  state.bytes.set(seized.subarray(ACCOUNT_SECRET_BYTES, PHASE_AT));
  const follower = new Follower(recorder, state.rootKey, state.ourPublic);
  follower.chains.set(toHex(state.ourPublic), { key: state.sendChain, next: state.sent });
  follower.chains.set(toHex(state.theirPublic), { key: state.receiveChain, next: state.received });
  if (recorder.parts.rekeys) {
    const phase = seized[PHASE_AT]!;
    const kept = seized.slice(OPEN_EPOCH_AT);
    if (phase === OFFERED) follower.epochSeed = kept.subarray(0, KEM_SEED_BYTES);
    else if (phase !== 0) follower.epochSecret = kept.subarray(0, 32);
  }
  return frames.map((frame) => follower.open(frame.content));
}

interface Chain {
  readonly key: Uint8Array;
  readonly next: number;
}

/** Double Ratchet section 3.5 with both private keys: sender and receiver are alike. */
class Follower {
  readonly #recorder: Recorder;
  #root: Uint8Array;
  /** The ratchet key of the newest chain. */
  #newest: Uint8Array;
  readonly chains = new Map<string, Chain>();
  /** Of the epoch that is open: what a seized device gave away. */
  epochSeed: Uint8Array | undefined;
  epochSecret: Uint8Array | undefined;

  constructor(recorder: Recorder, root: Uint8Array, newest: Uint8Array) {
    this.#recorder = recorder;
    this.#root = root.slice();
    this.#newest = newest.slice();
  }

  open(content: Uint8Array): string | undefined {
    const frame = readFrame(this.#recorder.parts, content);
    const name = toHex(frame.ratchetKey);
    const chain = this.chains.get(name) ?? this.#turn(frame);
    let { key } = chain;
    for (let n = chain.next; n < frame.n; n++) key = this.#hmac(key, 2);
    const text = this.#decrypt(content, frame, this.#hmac(key, 1));
    this.chains.set(name, { key: this.#hmac(key, 2), next: frame.n + 1 });
    if (frame.ciphertext !== undefined && this.epochSeed !== undefined) {
      this.epochSecret = new Uint8Array(32);
      const kem = this.#recorder.provider.kem['ml-kem-768']!;
      kem.decapsulate(this.epochSecret, this.epochSeed, frame.ciphertext);
      this.epochSeed = undefined;
    }
    return text;
  }

  #turn({ ratchetKey, mixed }: ReadFrame): Chain {
    const { provider, x25519Secret } = this.#recorder;
    const shared = new Uint8Array(32);
    provider.x25519(shared, x25519Secret(ratchetKey), this.#newest);
    let key = this.#derive(shared, ROOT_INFO);
    if (mixed && this.epochSecret !== undefined) {
      key = this.#derive(this.epochSecret, MIX_INFO);
      this.epochSecret = undefined;
    }
    this.#newest = ratchetKey.slice();
    return { key, next: 0 };
  }

  /** Steps the root key. @returns The chain key. */
  #derive(input: Uint8Array, info: Uint8Array): Uint8Array {
    const derived = new Uint8Array(64);
    this.#recorder.provider.hkdfSha256(derived, this.#root, input, info);
    this.#root = derived.slice(0, 32);
    return derived.slice(32);
  }

  #hmac(key: Uint8Array, constant: number): Uint8Array {
    const out = new Uint8Array(32);
    this.#recorder.provider.hmacSha256(out, key, Uint8Array.of(constant));
    return out;
  }

  #decrypt(content: Uint8Array, frame: ReadFrame, messageKey: Uint8Array): string | undefined {
    const { provider, directory } = this.#recorder;
    const { headerAt, ciphertextAt } = frame;
    const aad = concatBytes(directory, content.subarray(headerAt, ciphertextAt));
    const sealed = content.subarray(ciphertextAt);
    const out = sealed.length < TAG_BYTES ? EMPTY : new Uint8Array(sealed.length - TAG_BYTES);
    const aead = provider.aead['chacha20-poly1305'];
    return aead.open(out, messageKey, NONCE, aad, sealed)
      ? new TextDecoder().decode(out)
      : undefined;
  }
}
