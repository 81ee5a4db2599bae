/**
 * Follows one session of a Double Ratchet as somebody can who has recorded its frames and holds some
 * private keys: from the secret of its handshake, or from the state of a device that was copied.
 *
 * Double Ratchet revision 4, sections 3.5 and 4.6, with whichever private halves are known: sender and
 * receiver are alike. What has not opened a message is not kept.
 *
 * @module
 */

import { concatBytes, EMPTY, getUint32, toHex } from '../core/bytes.ts';
import type { Provider } from '../crypto/provider.ts';
import { chosenAead } from '../pipelines/_carrier.ts';
import { openMessageForm, type MessageForm } from '../pipelines/_message-form.ts';
import type { Options, SeizedSession } from '../pipelines/_pipeline.ts';
import { AssociatedData, RatchetFrame, REKEY_MIXED } from '../pipelines/_ratchet-frame.ts';
import {
  HEADER_N_AT,
  MIX_INFO,
  RatchetState,
  ROOT_INFO,
  DoubleRatchet,
} from '../protocols/double-ratchet.ts';
import { HEADER_SEAL_BYTES, HeaderSeal } from '../protocols/header-seal.ts';
import { Hpke } from '../protocols/hpke.ts';
import type { RatchetProfile } from './frame-profile.ts';
import type { Keyring } from './keyring.ts';

const KEY_BYTES = 32;
/** A header that nothing authenticated may name any number. */
const STEPS_MAX = 2_000;
const MESSAGE_KEY = Uint8Array.of(1);
const NEXT_CHAIN = Uint8Array.of(2);
const NEXT_SEED = Uint8Array.of(2);
/** Ratchet keys that follow from a seed are tried so far ahead. */
const SEEDS_AHEAD = 2;
/** First word of re-keying in a state: the phase in which an open epoch is. */
const PHASE_OFFERED = 1;
const PHASE_MASK = 0xff;
const SKIPPED_KEY_AT = 36;

interface Chain {
  /** Encryption chain, and with MAC chains that one after it. */
  readonly keys: readonly Uint8Array[];
  readonly next: number;
}

/** What followers of one town share. One instance is used again for each frame. */
export class FollowerTools {
  readonly provider: Provider;
  readonly profile: RatchetProfile;
  readonly form: MessageForm;
  readonly layout: RatchetFrame;
  readonly associated: AssociatedData;
  readonly headers: HeaderSeal | undefined;
  readonly header: Uint8Array;
  readonly hpke: Hpke;

  constructor(
    provider: Provider,
    options: Options,
    directory: Uint8Array,
    profile: RatchetProfile,
  ) {
    this.provider = provider;
    this.profile = profile;
    this.form = openMessageForm(provider, options);
    this.layout = new RatchetFrame(profile.shape);
    this.associated = new AssociatedData(directory);
    this.header = new Uint8Array(this.layout.headerBytes);
    this.headers = profile.shape.headerEncryption
      ? new HeaderSeal(provider, chosenAead(provider, options), this.header.length)
      : undefined;
    this.hpke = new Hpke(provider);
  }

  newState(): RatchetState {
    const { shape, macChains, extraWords } = this.profile;
    return new RatchetState({ headerKeys: shape.headerEncryption, macChains, extraWords });
  }
}

/** Users of a session: who opened it, who answered. */
export interface SessionUsers {
  readonly initiator: number;
  readonly responder: number;
}

export class RatchetFollower {
  readonly #tools: FollowerTools;
  readonly #keyring: Keyring;
  readonly #users: SessionUsers;
  #root: Uint8Array;
  /** The ratchet key of the newest chain. */
  #newest: Uint8Array;
  readonly #chains = new Map<string, Chain>();
  /** Chains of which a message did not open: nothing will be known later. */
  readonly #closed = new Set<string>();
  /** By member: the header key of the chain, and that of the next. */
  readonly #headerKeys: [Uint8Array, Uint8Array] = [EMPTY, EMPTY];
  readonly #nextHeaderKeys: [Uint8Array, Uint8Array] = [EMPTY, EMPTY];
  /** Message keys by chain label and number. */
  readonly #skipped = new Map<string, Uint8Array>();
  readonly #skippedLabels = new Set<string>();
  /** Of an epoch of re-keying that is open. */
  #epochSeed: Uint8Array | undefined;
  #epochSecret: Uint8Array | undefined;
  /** Of the next ratchet key, where keys follow from a seed. */
  #seed: Uint8Array | undefined;
  readonly #shared = new Uint8Array(KEY_BYTES);

  private constructor(
    tools: FollowerTools,
    keyring: Keyring,
    users: SessionUsers,
    root: Uint8Array,
    newest: Uint8Array,
  ) {
    this.#tools = tools;
    this.#keyring = keyring;
    this.#users = users;
    this.#root = root.slice();
    this.#newest = newest.slice();
  }

  /**
   * From the secret of a handshake.
   *
   * @param initiator The member who opened the session.
   * @param signedPrekey Of the responder: the newest ratchet key before the first frame.
   */
  static fromSecret(
    tools: FollowerTools,
    keyring: Keyring,
    users: SessionUsers,
    initiator: number,
    secret: Uint8Array,
    signedPrekey: Uint8Array,
  ): RatchetFollower {
    const follower = new RatchetFollower(tools, keyring, users, secret, signedPrekey);
    if (tools.headers === undefined) return follower;
    // The header keys that both ends begin with follow from the secret alone: section 4.3.
    const state = tools.newState();
    const unused = { seeded: false, fill: (): void => undefined };
    const keys = { headerKeys: true, macChains: tools.profile.macChains };
    const ratchet = new DoubleRatchet(tools.provider, unused, keys);
    ratchet.initResponder(state, secret, signedPrekey, signedPrekey);
    follower.#nextHeaderKeys[initiator] = state.nextReceiveHeaderKey.slice();
    follower.#nextHeaderKeys[1 - initiator] = state.nextSendHeaderKey.slice();
    return follower;
  }

  /** From a device that was copied. @returns Undefined when the session was not open on it. */
  static fromDevice(
    tools: FollowerTools,
    keyring: Keyring,
    users: SessionUsers,
    { state: bytes, underWay, skipped, member }: SeizedSession,
  ): RatchetFollower | undefined {
    const state = tools.newState();
    state.bytes.set(bytes.subarray(0, state.bytes.length));
    if (state.flags === 0) return undefined;
    // Without a sending chain the owner's next ratchet key does not exist yet.
    const newest = state.canSend ? state.ourPublic : state.theirPublic;
    const follower = new RatchetFollower(tools, keyring, users, state.rootKey, newest);
    const { sendChain, sendMacChain, receiveChain, receiveMacChain } = state;
    if (state.canSend) {
      keyring.add(state.ourSecret);
      follower.#chains.set(toHex(state.ourPublic), chainOf(sendChain, sendMacChain, state.sent));
    }
    if (state.canReceive) {
      const received = chainOf(receiveChain, receiveMacChain, state.received);
      follower.#chains.set(toHex(state.theirPublic), received);
    }
    if (tools.headers !== undefined) {
      follower.#headerKeys[member] = state.sendHeaderKey.slice();
      follower.#nextHeaderKeys[member] = state.nextSendHeaderKey.slice();
      follower.#headerKeys[1 - member] = state.receiveHeaderKey.slice();
      follower.#nextHeaderKeys[1 - member] = state.nextReceiveHeaderKey.slice();
    }
    follower.#keepSkipped(skipped);
    follower.#keepEpoch(state, underWay);
    if (tools.profile.seeded) {
      const seed = new Uint8Array(state.extra.slice(1, 9).buffer);
      if (seed.some((byte) => byte !== 0)) follower.#seed = seed;
    }
    return follower;
  }

  /** @returns The text, as the ends above the ratchet gave it; undefined when it does not open. */
  open(content: Uint8Array, sender: number): Uint8Array | undefined {
    const { layout, header, profile } = this.#tools;
    if (!layout.read(content)) return undefined;
    const readBy = this.#readHeader(content, sender);
    if (readBy === undefined) return this.#openSkippedHeader(content);
    const rekeyBits = profile.rekeys ? header[header.length - 1]! : 0;
    if (!layout.readOn(content, rekeyBits)) return undefined;
    const n = getUint32(header, HEADER_N_AT);
    const ratchetKey = header.slice(0, KEY_BYTES);
    const name = toHex(ratchetKey);
    const skippedKey = this.#skipped.get(`${name}/${n}`);
    if (skippedKey !== undefined) return this.#decrypt(content, skippedKey);
    if (this.#closed.has(name)) return undefined;
    const text = this.#openOnChain(content, sender, name, ratchetKey, n, rekeyBits);
    if (text === undefined && !this.#chains.has(name)) this.#closed.add(name);
    return text;
  }

  #openOnChain(
    content: Uint8Array,
    sender: number,
    name: string,
    ratchetKey: Uint8Array,
    n: number,
    rekeyBits: number,
  ): Uint8Array | undefined {
    const known = this.#chains.get(name);
    const turn = known === undefined ? this.#turn(ratchetKey, rekeyBits) : undefined;
    const chain = known ?? turn?.chain;
    if (chain === undefined || n < chain.next || n - chain.next > STEPS_MAX) return undefined;
    const keys = chain.keys.map((key) => key.slice());
    for (let at = chain.next; at < n; at++) this.#step(keys, NEXT_CHAIN);
    const messageKey = concatBytes(...keys.map((key) => this.#hmac(key, MESSAGE_KEY)));
    const text = this.#decrypt(content, messageKey);
    if (text === undefined) return undefined;
    if (turn !== undefined) this.#keepTurn(turn, ratchetKey, sender);
    this.#step(keys, NEXT_CHAIN);
    this.#chains.set(name, { keys, next: n + 1 });
    this.#readEpoch(content, rekeyBits);
    return text;
  }

  /** Leaves the header in the clear in `header`. @returns How it was read; undefined when it was not. */
  #readHeader(content: Uint8Array, sender: number): 'current' | 'next' | 'clear' | undefined {
    const { headers, header, layout } = this.#tools;
    const { headerAt } = layout;
    if (headers === undefined) {
      header.set(content.subarray(headerAt, headerAt + header.length));
      return 'clear';
    }
    const sealed = content.subarray(headerAt, headerAt + HEADER_SEAL_BYTES + header.length);
    const current = this.#headerKeys[sender]!;
    if (current.length > 0 && headers.open(header, current, sealed)) return 'current';
    const next = this.#nextHeaderKeys[sender]!;
    return next.length > 0 && headers.open(header, next, sealed) ? 'next' : undefined;
  }

  /** With encrypted headers a stored key is found by the header key of its chain. */
  #openSkippedHeader(content: Uint8Array): Uint8Array | undefined {
    const { headers, header, layout, profile } = this.#tools;
    if (headers === undefined) return undefined;
    const { headerAt } = layout;
    const sealed = content.subarray(headerAt, headerAt + HEADER_SEAL_BYTES + header.length);
    for (const label of this.#skippedLabels) {
      if (!headers.open(header, Uint8Array.fromHex(label), sealed)) continue;
      const key = this.#skipped.get(`${label}/${getUint32(header, HEADER_N_AT)}`);
      const rekeyBits = profile.rekeys ? header[header.length - 1]! : 0;
      if (key === undefined || !layout.readOn(content, rekeyBits)) return undefined;
      return this.#decrypt(content, key);
    }
    return undefined;
  }

  /** KDF_RK, with what is known; nothing is kept yet. */
  #turn(ratchetKey: Uint8Array, rekeyBits: number): Turn | undefined {
    this.#deriveSeeded(ratchetKey);
    if (!this.#keyring.agree(this.#shared, ratchetKey, this.#newest)) return undefined;
    const { headers, profile, provider } = this.#tools;
    const keys = 2 + (headers === undefined ? 0 : 1) + (profile.macChains ? 1 : 0);
    const derived = new Uint8Array(keys * KEY_BYTES);
    provider.hkdfSha256(derived, this.#root, this.#shared, ROOT_INFO);
    let root = derived.slice(0, KEY_BYTES);
    let chainKey = derived.slice(KEY_BYTES, 2 * KEY_BYTES);
    const isMixed = (rekeyBits & REKEY_MIXED) !== 0 && this.#epochSecret !== undefined;
    if (isMixed) {
      const mixed = new Uint8Array(2 * KEY_BYTES);
      provider.hkdfSha256(mixed, root, this.#epochSecret!, MIX_INFO);
      root = mixed.slice(0, KEY_BYTES);
      chainKey = mixed.slice(KEY_BYTES);
    }
    const macKey = profile.macChains ? [derived.slice((keys - 1) * KEY_BYTES)] : [];
    return {
      root,
      chain: { keys: [chainKey, ...macKey], next: 0 },
      nextHeaderKey: headers === undefined ? EMPTY : derived.slice(2 * KEY_BYTES, 3 * KEY_BYTES),
      isMixed,
    };
  }

  #keepTurn({ root, nextHeaderKey, isMixed }: Turn, ratchetKey: Uint8Array, sender: number): void {
    this.#root = root;
    this.#newest = ratchetKey;
    if (isMixed) this.#epochSecret = undefined;
    if (nextHeaderKey.length === 0) return;
    this.#headerKeys[sender] = this.#nextHeaderKeys[sender]!;
    this.#nextHeaderKeys[sender] = nextHeaderKey;
  }

  /** Where keys follow from a seed, makes the next ones until one of the two agreeing is known. */
  #deriveSeeded(ratchetKey: Uint8Array): void {
    const { hpke, provider } = this.#tools;
    for (let ahead = 0; ahead < SEEDS_AHEAD && this.#seed !== undefined; ahead++) {
      if (this.#keyring.secretOf(ratchetKey) ?? this.#keyring.secretOf(this.#newest)) return;
      const secret = new Uint8Array(KEY_BYTES);
      hpke.deriveSecretKey(secret, this.#seed);
      this.#keyring.add(secret);
      const next = new Uint8Array(KEY_BYTES);
      provider.hmacSha256(next, this.#seed, NEXT_SEED);
      this.#seed = next;
    }
  }

  /** A message that carries the ciphertext of an epoch whose secret key was on the device. */
  #readEpoch(content: Uint8Array, rekeyBits: number): void {
    const { profile, layout, provider } = this.#tools;
    const { payloadAt, payloadBytes } = layout;
    const seed = this.#epochSeed;
    if (!profile.rekeys || seed === undefined || rekeyBits === 0) return;
    if (payloadBytes !== profile.shape.rekeyCiphertextBytes) return;
    const secret = new Uint8Array(KEY_BYTES);
    const ciphertext = content.subarray(payloadAt, payloadAt + payloadBytes);
    provider.kem['ml-kem-768']!.decapsulate(secret, seed, ciphertext);
    this.#epochSecret = secret;
    this.#epochSeed = undefined;
  }

  #keepEpoch(state: RatchetState, underWay: Uint8Array): void {
    if (!this.#tools.profile.rekeys || underWay.length === 0) return;
    const phase = state.extra[0]! & PHASE_MASK;
    const { secretKeyBytes } = this.#tools.provider.kem['ml-kem-768']!;
    if (phase === PHASE_OFFERED) this.#epochSeed = underWay.slice(0, secretKeyBytes);
    else this.#epochSecret = underWay.slice(0, KEY_BYTES);
  }

  #keepSkipped(skipped: Uint8Array): void {
    const entryBytes = SKIPPED_KEY_AT + this.#tools.form.keyBytes;
    for (let at = 0; at + entryBytes <= skipped.length; at += entryBytes) {
      const label = toHex(skipped.subarray(at + 4, at + SKIPPED_KEY_AT));
      const key = skipped.slice(at + SKIPPED_KEY_AT, at + entryBytes);
      this.#skipped.set(`${label}/${getUint32(skipped, at)}`, key);
      this.#skippedLabels.add(label);
    }
  }

  #step(keys: Uint8Array[], constant: Uint8Array): void {
    for (const [i, key] of keys.entries()) keys[i] = this.#hmac(key, constant);
  }

  #hmac(key: Uint8Array, constant: Uint8Array): Uint8Array {
    const out = new Uint8Array(KEY_BYTES);
    this.#tools.provider.hmacSha256(out, key, constant);
    return out;
  }

  #decrypt(content: Uint8Array, messageKey: Uint8Array): Uint8Array | undefined {
    const { associated, layout, form } = this.#tools;
    const { headerAt, ciphertextAt } = layout;
    const { initiator, responder } = this.#users;
    const aad = associated.build(initiator, responder, content, headerAt, ciphertextAt);
    const sealed = content.slice(ciphertextAt);
    if (sealed.length < form.overheadBytes) return undefined;
    const out = new Uint8Array(sealed.length - form.overheadBytes);
    return form.open(out, messageKey, aad, sealed) ? out : undefined;
  }
}

function chainOf(key: Uint8Array, macKey: Uint8Array, next: number): Chain {
  return { keys: macKey.length > 0 ? [key.slice(), macKey.slice()] : [key.slice()], next };
}

interface Turn {
  readonly root: Uint8Array;
  readonly chain: Chain;
  readonly nextHeaderKey: Uint8Array;
  readonly isMixed: boolean;
}
