/**
 * What a device of one session yields when it is seized, and what an attacker opens with it: each
 * attack takes the seized bytes, public identities and recorded frames, nothing else.
 */

import { equalBytes, getUint32, utf8 } from '../../src/core/bytes.ts';
import { RefusedError, type Provider } from '../../src/crypto/provider.ts';
import { CHAIN_STATE_BYTES, ChainState } from '../../src/pipelines/_chain-ends.ts';
import {
  STATIC_SECRET_BYTES,
  STATIC_STATE_BYTES,
  StaticState,
} from '../../src/pipelines/_static-ends.ts';
import {
  DoubleRatchet,
  HEADER_BYTES,
  RATCHET_STATE_BYTES,
  RatchetState,
} from '../../src/protocols/double-ratchet.ts';
import { Hpke } from '../../src/protocols/hpke.ts';
import { SymmetricChain } from '../../src/protocols/symmetric-chain.ts';
import { X3dh } from '../../src/protocols/x3dh.ts';

const TAG_BYTES = 16;
const HANDSHAKE_BYTES = 104;
const ACCOUNT_SECRET_BYTES = 96;
const NONCE = new Uint8Array(12);
const NO_MORE_THAN = 1000;

/** What the attacker knows besides the device: who is who, and the code. */
export interface Background {
  readonly provider: Provider;
  /** Identities of the session's initiator and responder, 64 bytes each. */
  readonly initiator: Uint8Array;
  readonly responder: Uint8Array;
  /** The member whose device was seized. */
  readonly member: number;
}

/** A frame as the relay kept it, and who sent it. */
export interface Kept {
  readonly member: number;
  readonly content: Uint8Array;
}

type Opened = string | undefined;

/** L4: the contexts of both directions lie in the state. */
export function openWithContexts(
  { provider, member }: Background,
  seized: Uint8Array,
  frames: readonly Kept[],
): Opened[] {
  const state = new StaticState();
  const at = STATIC_SECRET_BYTES;
  state.bytes.set(seized.subarray(at, at + STATIC_STATE_BYTES));
  const hpke = new Hpke(provider);
  return frames.map((frame) => {
    const key = frame.member === member ? state.sendKey : state.receiveKey;
    const numberAt = (frame.content[0]! & 1) === 0 ? 1 : 33;
    const n = getUint32(frame.content, numberAt);
    const aad = frame.content.subarray(0, numberAt + 4);
    const ciphertext = frame.content.subarray(numberAt + 4);
    const out = new Uint8Array(ciphertext.length - TAG_BYTES);
    return hpke.openAt(key, n, out, aad, ciphertext) ? textOf(out) : undefined;
  });
}

/** L5: the chain keys, stepped on as far as the numbers of the frames ask. */
export function openWithChains(
  background: Background,
  seized: Uint8Array,
  frames: readonly Kept[],
): Opened[] {
  const state = new ChainState();
  const at = ACCOUNT_SECRET_BYTES;
  state.bytes.set(seized.subarray(at, at + CHAIN_STATE_BYTES));
  return frames.map((frame) =>
    frame.member === background.member
      ? openOnChain(background, state.sendChain, state.sent, frame)
      : openOnChain(background, state.receiveChain, state.received, frame),
  );
}

/** L5: the keys of the device that outlive sessions, against the handshakes that it answered. */
export function openWithAgreement(
  background: Background,
  seized: Uint8Array,
  oneTimeSecret: Uint8Array | undefined,
  frames: readonly Kept[],
): Opened[] {
  const { provider, initiator } = background;
  const secret = new Uint8Array(32);
  const chains = new Uint8Array(64);
  return frames.map((frame) => {
    if ((frame.content[0]! & 1) === 0) return undefined;
    try {
      new X3dh(provider).respond(secret, {
        identity: provider.x25519Handle(seized.subarray(0, 32)),
        signedPrekey: provider.x25519Handle(seized.subarray(64, 96)),
        oneTimeSecret,
        theirIdentity: initiator.subarray(0, 32),
        theirEphemeral: frame.content.subarray(65, 97),
      });
    } catch (error) {
      if (error instanceof RefusedError) return undefined;
      throw error;
    }
    const info = utf8('sealbench forward secrecy chains');
    provider.hkdfSha256(chains, new Uint8Array(32), secret, info);
    return openOnChain(background, chains.subarray(0, 32), 0, frame);
  });
}

/** L6: follows the ratchet as a listener can, who learns no key that is made later. */
export function openWithRatchet(
  background: Background,
  seized: Uint8Array,
  frames: readonly Kept[],
): Opened[] {
  const { provider, member } = background;
  const state = new RatchetState();
  const at = ACCOUNT_SECRET_BYTES;
  state.bytes.set(seized.subarray(at, at + RATCHET_STATE_BYTES));
  const ourPublic = state.ourPublic.slice();
  const sendChain = state.sendChain.slice();
  const { sent } = state;
  const keptBack = { add: (): void => undefined };
  const randomness = { seeded: false, fill: (out: Uint8Array) => provider.randomBytes(out) };
  const ratchet = new DoubleRatchet(provider, randomness);
  return frames.map(({ content, member: sender }) => {
    const headerAt = (content[0]! & 1) === 0 ? 1 : 1 + HANDSHAKE_BYTES;
    const header = content.subarray(headerAt, headerAt + HEADER_BYTES);
    const ciphertextAt = headerAt + HEADER_BYTES;
    if (sender === member) {
      if (!equalBytes(header.subarray(0, 32), ourPublic)) return undefined;
      const chain = sendChain.slice();
      for (let n = sent; n <= getUint32(header, 36); n++) ratchet.stepChain(chain);
      return open(background, ratchet.messageKey, content, headerAt, ciphertextAt);
    }
    const before = state.words.slice();
    const step = ratchet.stepReceiving(state, header, NO_MORE_THAN, keptBack);
    const text =
      step === 0
        ? open(background, ratchet.messageKey, content, headerAt, ciphertextAt)
        : undefined;
    if (text === undefined) state.words.set(before);
    return text;
  });
}

/** @param chain Its key before message `next`. */
function openOnChain(
  background: Background,
  chain: Uint8Array,
  next: number,
  { content }: Kept,
): Opened {
  const numberAt = (content[0]! & 1) === 0 ? 1 : 1 + HANDSHAKE_BYTES;
  const steps = new SymmetricChain(background.provider);
  const stepped = chain.slice();
  // A number that lies behind leads nowhere, but the nearest key is tried all the same.
  const last = Math.max(next, getUint32(content, numberAt));
  for (let n = next; n <= last; n++) steps.step(stepped);
  return open(background, steps.messageKey, content, 0, numberAt + 4);
}

function open(
  { provider, initiator, responder }: Background,
  messageKey: Uint8Array,
  content: Uint8Array,
  boundFrom: number,
  ciphertextAt: number,
): Opened {
  const aad = Uint8Array.from([
    ...initiator,
    ...responder,
    ...content.subarray(boundFrom, ciphertextAt),
  ]);
  const ciphertext = content.subarray(ciphertextAt);
  const out = new Uint8Array(ciphertext.length - TAG_BYTES);
  const aead = provider.aead['chacha20-poly1305'];
  return aead.open(out, messageKey, NONCE, aad, ciphertext) ? textOf(out) : undefined;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
