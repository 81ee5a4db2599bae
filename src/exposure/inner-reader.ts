/**
 * Reads what goes from end to end with the keys that an attacker holds: of each frame the text, if
 * anything that it holds leads there.
 *
 * Every way is tried for every frame, also where it must fail: what an attack recovers is what opened,
 * and never what a rule says should. Holds, per session, one state of its protocol.
 *
 * @module
 */

import { concatBytes, getUint32, putUint32 } from '../core/bytes.ts';
import { RefusedError } from '../crypto/provider.ts';
import type { Aead } from '../crypto/provider.ts';
import { aeadName, chosenAead } from '../pipelines/_carrier.ts';
import { CHAINS_INFO, CHAIN_STATE_BYTES, ChainState } from '../pipelines/_chain-ends.ts';
import { unpaddedLength } from '../pipelines/_padding.ts';
import type { SeizedSession } from '../pipelines/_pipeline.ts';
import { SealedBoxInfo } from '../pipelines/_sealed-box-info.ts';
import { INFO_LABEL, STATIC_STATE_BYTES, StaticState } from '../pipelines/_static-ends.ts';
import { Hpke, HpkeContext } from '../protocols/hpke.ts';
import {
  SEALED_SENDER_BYTES,
  SealedSender,
  SENDER_CERTIFICATE_BYTES,
} from '../protocols/sealed-sender.ts';
import { SymmetricChain } from '../protocols/symmetric-chain.ts';
import { IDENTITY_BYTES, X3dh } from '../protocols/x3dh.ts';
import type { Frame, PublicFacts } from './evidence.ts';
import { innerKindOf, ratchetProfile } from './frame-profile.ts';
import type { Keyring } from './keyring.ts';
import { FollowerTools, RatchetFollower } from './ratchet-follower.ts';

const TAG_BYTES = 16;
const NONCE = new Uint8Array(12);
const ZERO_SALT = new Uint8Array(32);
const FORM_HANDSHAKE = 1;
/** Offsets in a frame with a handshake, after its form, and in a bundle. */
const EPHEMERAL_AT = 65;
const HANDSHAKE_BYTES = 104;
const SIGNED_PREKEY_AT = 132;
const ONE_TIME_PREKEY_AT = 232;
const BUNDLE_BYTES = 264;
/** Messages that a chain is followed ahead. */
const STEPS_MAX = 2_000;

/** What an attacker brings to the frames. */
export interface Holdings {
  readonly keyring: Keyring;
  /** States of sessions on a device that was copied. */
  readonly sessions?: readonly SeizedSession[];
  /** SK of a session, where it comes from elsewhere than its handshake. */
  readonly secretOf?: (frame: Frame) => Uint8Array | undefined;
}

/** Opens the frames of one town, one after the other, in the order in which they were sent. */
export interface InnerReader {
  /** @returns The text; undefined when nothing opens. */
  read(frame: Frame): Uint8Array | undefined;
}

/** @throws RangeError for a pipeline whose frames are not known. */
export function openInnerReader(facts: PublicFacts, holdings: Holdings): InnerReader {
  switch (innerKindOf(facts.pipeline)) {
    case 'clear':
      return { read: ({ bytes }) => bytes };
    case 'sealed-box':
      return new BoxReader(facts, holdings);
    case 'static':
      return new StaticReader(facts, holdings);
    case 'chain':
      return new ChainReader(facts, holdings);
    case 'ratchet':
      return new RatchetReader(facts, holdings);
    default:
      throw new RangeError(`"pipeline" expected one of ours, got ${facts.pipeline.name}`);
  }
}

function identityOf({ directory }: PublicFacts, user: number): Uint8Array {
  return directory.subarray(user * IDENTITY_BYTES, (user + 1) * IDENTITY_BYTES);
}

function agreementKeyOf(facts: PublicFacts, user: number): Uint8Array {
  return identityOf(facts, user).subarray(0, 32);
}

class BoxReader implements InnerReader {
  readonly #facts: PublicFacts;
  readonly #holdings: Holdings;
  readonly #hpke: Hpke;
  readonly #info = new SealedBoxInfo();

  constructor(facts: PublicFacts, holdings: Holdings) {
    this.#facts = facts;
    this.#holdings = holdings;
    this.#hpke = new Hpke(facts.provider, aeadName(facts.options));
  }

  read({ to, session, bytes }: Frame): Uint8Array | undefined {
    const publicKey = agreementKeyOf(this.#facts, to);
    const secret = this.#holdings.keyring.secretOf(publicKey);
    if (secret === undefined || bytes.length < 48) return undefined;
    const out = new Uint8Array(bytes.length - 48);
    const info = this.#info.of(session, identityOf(this.#facts, to));
    const none = new Uint8Array(0);
    return this.#hpke.open(out, secret, publicKey, info, none, bytes) ? out : undefined;
  }
}

/** L4: contexts out of a state, and those that a frame opens to a private identity key. */
class StaticReader implements InnerReader {
  readonly #facts: PublicFacts;
  readonly #holdings: Holdings;
  readonly #hpke: Hpke;
  readonly #context = new HpkeContext();
  /** Context keys, by session and sender. */
  readonly #contexts = new Map<number, Uint8Array>();

  constructor(facts: PublicFacts, holdings: Holdings) {
    this.#facts = facts;
    this.#holdings = holdings;
    this.#hpke = new Hpke(facts.provider, aeadName(facts.options));
    const state = new StaticState();
    for (const { session, member, state: bytes } of holdings.sessions ?? []) {
      state.bytes.set(bytes.subarray(0, STATIC_STATE_BYTES));
      if (isSet(state.sendKey)) this.#contexts.set(session * 2 + member, state.sendKey.slice());
      if (isSet(state.receiveKey)) {
        this.#contexts.set(session * 2 + 1 - member, state.receiveKey.slice());
      }
    }
  }

  read({ session, sender, to, bytes }: Frame): Uint8Array | undefined {
    const hasEnc = (bytes[0]! & 1) !== 0;
    const numberAt = hasEnc ? 33 : 1;
    if (bytes.length < numberAt + 4 + TAG_BYTES) return undefined;
    const direction = session * 2 + sender;
    if (!this.#contexts.has(direction) && hasEnc) this.#openContext(direction, to, bytes);
    const key = this.#contexts.get(direction);
    if (key === undefined) return undefined;
    const aad = bytes.subarray(0, numberAt + 4);
    const ciphertext = bytes.subarray(numberAt + 4);
    const out = new Uint8Array(ciphertext.length - TAG_BYTES);
    const n = getUint32(bytes, numberAt);
    return this.#hpke.openAt(key, n, out, aad, ciphertext) ? out : undefined;
  }

  #openContext(direction: number, to: number, bytes: Uint8Array): void {
    const recipientKey = agreementKeyOf(this.#facts, to);
    const secret = this.#holdings.keyring.secretOf(recipientKey);
    if (secret === undefined) return;
    const [session, sender] = [direction >>> 1, direction & 1];
    const from = this.#facts.members.user(session, sender);
    const number = new Uint8Array(4);
    putUint32(number, 0, session);
    const identities = [identityOf(this.#facts, from), identityOf(this.#facts, to)];
    const info = concatBytes(INFO_LABEL, number, ...identities);
    const enc = bytes.subarray(1, 33);
    const senderKey = agreementKeyOf(this.#facts, from);
    const context = this.#context;
    if (this.#hpke.setupAuthReceiver(context, enc, secret, recipientKey, info, senderKey)) {
      this.#contexts.set(direction, context.contextKey.slice());
    }
  }
}

/** SK out of a handshake that somebody answered whose private keys are known. */
class Agreements {
  readonly #facts: PublicFacts;
  readonly #keyring: Keyring;
  readonly #x3dh: X3dh;
  readonly #kemSecret = new Uint8Array(32);

  constructor(facts: PublicFacts, keyring: Keyring) {
    this.#facts = facts;
    this.#keyring = keyring;
    this.#x3dh = new X3dh(facts.provider);
  }

  /** @param frame With a handshake. What is not known of it is left out, and SK then is another. */
  secretOf({ session, sender, to, bytes }: Frame): Uint8Array | undefined {
    const { provider, bundles, members } = this.#facts;
    const bundle = bundles[session]!;
    const keyring = this.#keyring;
    const identity = keyring.secretOf(agreementKeyOf(this.#facts, to));
    const prekey = keyring.secretOf(bundle.subarray(SIGNED_PREKEY_AT, SIGNED_PREKEY_AT + 32));
    if (identity === undefined || prekey === undefined) return undefined;
    const oneTimePublic = bundle.subarray(ONE_TIME_PREKEY_AT, ONE_TIME_PREKEY_AT + 32);
    const kemSeed = keyring.kemSecretOf(oneTimePublic);
    const kem = bundle.length > BUNDLE_BYTES ? provider.kem['ml-kem-1024'] : undefined;
    const secret = new Uint8Array(32);
    this.#kemSecret.fill(0);
    try {
      if (kem !== undefined && kemSeed !== undefined) {
        const ciphertextAt = 1 + HANDSHAKE_BYTES;
        const ciphertext = bytes.subarray(ciphertextAt, ciphertextAt + kem.ciphertextBytes);
        kem.decapsulate(this.#kemSecret, kemSeed, ciphertext);
      }
      this.#x3dh.respond(secret, {
        identity: provider.x25519Handle(identity),
        signedPrekey: provider.x25519Handle(prekey),
        oneTimeSecret: keyring.secretOf(oneTimePublic),
        theirIdentity: agreementKeyOf(this.#facts, members.user(session, sender)),
        theirEphemeral: bytes.subarray(EPHEMERAL_AT, EPHEMERAL_AT + 32),
        ...(kem === undefined ? {} : { kemSecret: this.#kemSecret }),
      });
      return secret;
    } catch (error) {
      if (error instanceof RefusedError) return undefined;
      throw error;
    }
  }
}

interface FollowedChain {
  readonly key: Uint8Array;
  readonly next: number;
}

/** L5: chains out of a state, or both out of SK. */
class ChainReader implements InnerReader {
  readonly #facts: PublicFacts;
  readonly #aead: Aead;
  readonly #agreements: Agreements;
  readonly #steps: SymmetricChain;
  /** By session and sender: out of states, and out of handshakes. */
  readonly #copied = new Map<number, FollowedChain>();
  readonly #agreed = new Map<number, FollowedChain>();
  /** Sessions whose handshake was tried. */
  readonly #tried = new Set<number>();
  /** Of messages passed over, by session, sender and number. */
  readonly #skipped = new Map<string, Uint8Array>();

  constructor(facts: PublicFacts, { keyring, sessions = [] }: Holdings) {
    this.#facts = facts;
    this.#aead = chosenAead(facts.provider, facts.options);
    this.#agreements = new Agreements(facts, keyring);
    this.#steps = new SymmetricChain(facts.provider);
    const state = new ChainState();
    for (const { session, member, state: bytes, skipped } of sessions) {
      state.bytes.set(bytes.subarray(0, CHAIN_STATE_BYTES));
      if (state.flags === 0) continue;
      const [sending, receiving] = [session * 2 + member, session * 2 + 1 - member];
      this.#copied.set(sending, { key: state.sendChain.slice(), next: state.sent });
      this.#copied.set(receiving, { key: state.receiveChain.slice(), next: state.received });
      for (let at = 0; at + 68 <= skipped.length; at += 68) {
        const key = skipped.slice(at + 36, at + 68);
        this.#skipped.set(`${receiving}/${getUint32(skipped, at)}`, key);
      }
    }
  }

  read(frame: Frame): Uint8Array | undefined {
    const { session, sender, bytes } = frame;
    const hasHandshake = (bytes[0]! & FORM_HANDSHAKE) !== 0;
    if (hasHandshake && !this.#tried.has(session)) this.#agree(frame);
    const numberAt = 1 + (hasHandshake ? HANDSHAKE_BYTES : 0);
    if (bytes.length < numberAt + 4 + TAG_BYTES) return undefined;
    const direction = session * 2 + sender;
    const n = getUint32(bytes, numberAt);
    const skippedKey = this.#skipped.get(`${direction}/${n}`);
    const ciphertextAt = numberAt + 4;
    const text = skippedKey === undefined ? undefined : this.#open(skippedKey, frame, ciphertextAt);
    return (
      text ??
      this.#openOn(this.#copied, direction, n, frame, ciphertextAt) ??
      this.#openOn(this.#agreed, direction, n, frame, ciphertextAt)
    );
  }

  #openOn(
    chains: Map<number, FollowedChain>,
    direction: number,
    n: number,
    frame: Frame,
    ciphertextAt: number,
  ): Uint8Array | undefined {
    const chain = chains.get(direction);
    if (chain === undefined || n < chain.next || n - chain.next > STEPS_MAX) return undefined;
    const key = chain.key.slice();
    for (let at = chain.next; at <= n; at++) this.#steps.step(key);
    const text = this.#open(this.#steps.messageKey, frame, ciphertextAt);
    if (text !== undefined) chains.set(direction, { key, next: n + 1 });
    return text;
  }

  #agree(frame: Frame): void {
    const { session, sender } = frame;
    this.#tried.add(session);
    const secret = this.#agreements.secretOf(frame);
    if (secret === undefined) return;
    const chains = new Uint8Array(64);
    this.#facts.provider.hkdfSha256(chains, ZERO_SALT, secret, CHAINS_INFO);
    this.#agreed.set(session * 2 + sender, { key: chains.slice(0, 32), next: 0 });
    this.#agreed.set(session * 2 + 1 - sender, { key: chains.slice(32), next: 0 });
  }

  #open(key: Uint8Array, { session, bytes }: Frame, ciphertextAt: number): Uint8Array | undefined {
    const { members } = this.#facts;
    const identities = [0, 1].map((member) =>
      identityOf(this.#facts, members.user(session, member)),
    );
    const aad = concatBytes(...identities, bytes.subarray(0, ciphertextAt));
    const ciphertext = bytes.subarray(ciphertextAt);
    const out = new Uint8Array(ciphertext.length - TAG_BYTES);
    return this.#aead.open(out, key, NONCE, aad, ciphertext) ? out : undefined;
  }
}

/** L6 to L11 and what stands on them. */
class RatchetReader implements InnerReader {
  readonly #facts: PublicFacts;
  readonly #holdings: Holdings;
  readonly #tools: FollowerTools;
  readonly #agreements: Agreements;
  readonly #sealed: SealedSender | undefined;
  /** By session: out of a copied state, and out of a handshake. */
  readonly #copied = new Map<number, RatchetFollower>();
  readonly #agreed = new Map<number, RatchetFollower>();
  readonly #tried = new Set<number>();

  constructor(facts: PublicFacts, holdings: Holdings) {
    const { provider, pipeline, options, directory } = facts;
    this.#facts = facts;
    this.#holdings = holdings;
    const profile = ratchetProfile(provider, pipeline, options);
    this.#tools = new FollowerTools(provider, options, directory, profile);
    this.#agreements = new Agreements(facts, holdings.keyring);
    const unused = { seeded: false, fill: (): void => undefined };
    this.#sealed = profile.sealedSender
      ? new SealedSender(provider, unused, chosenAead(provider, options))
      : undefined;
    for (const seized of holdings.sessions ?? []) {
      if (seized.session >= facts.members.sessions) continue; // With a ghost.
      const users = this.#usersOf(seized.session);
      const follower = RatchetFollower.fromDevice(this.#tools, holdings.keyring, users, seized);
      if (follower !== undefined) this.#copied.set(seized.session, follower);
    }
  }

  read(frame: Frame): Uint8Array | undefined {
    const content = this.#unseal(frame);
    if (content === undefined) return undefined;
    const { session, sender } = frame;
    const text =
      this.#copied.get(session)?.open(content, sender) ??
      this.#openFromHandshake({ ...frame, bytes: content });
    if (text === undefined || !this.#tools.profile.padded) return text;
    const length = unpaddedLength(text, text.length);
    return length < 0 ? undefined : text.subarray(0, length);
  }

  /** The frame of the ratchet, out of that of a sealed sender. */
  #unseal(frame: Frame): Uint8Array | undefined {
    const { to, bytes } = frame;
    if (this.#sealed === undefined) return bytes;
    const publicKey = agreementKeyOf(this.#facts, to);
    const secret = this.#holdings.keyring.secretOf(publicKey);
    const length = bytes.length - SEALED_SENDER_BYTES;
    if (secret === undefined || length < SENDER_CERTIFICATE_BYTES) return undefined;
    const { provider, shared } = this.#facts;
    const known = shared?.find('sealed-sender', frame);
    if (known !== undefined) return known.text;
    const out = new Uint8Array(length);
    const isOpen = this.#sealed.open(out, provider.x25519Handle(secret), publicKey, bytes);
    const content = isOpen ? out.subarray(SENDER_CERTIFICATE_BYTES) : undefined;
    shared?.keep('sealed-sender', frame, content);
    return content;
  }

  /** A follower whose first message does not open has another secret, and is given up. */
  #openFromHandshake(frame: Frame): Uint8Array | undefined {
    const { session, sender, bytes } = frame;
    const isFirst = (bytes[0]! & FORM_HANDSHAKE) !== 0 && !this.#tried.has(session);
    if (isFirst) this.#agree(frame);
    const text = this.#agreed.get(session)?.open(bytes, sender);
    if (isFirst && text === undefined) this.#agreed.delete(session);
    return text;
  }

  #agree(frame: Frame): void {
    const { session, sender } = frame;
    this.#tried.add(session);
    const { keyring, secretOf } = this.#holdings;
    const secret = secretOf?.(frame) ?? this.#agreements.secretOf(frame);
    const bundle = this.#facts.bundles[session]!;
    if (secret === undefined || bundle.length < BUNDLE_BYTES) return;
    const prekey = bundle.subarray(SIGNED_PREKEY_AT, SIGNED_PREKEY_AT + 32);
    const users = this.#usersOf(session);
    this.#agreed.set(
      session,
      RatchetFollower.fromSecret(this.#tools, keyring, users, sender, secret, prekey),
    );
  }

  #usersOf(session: number): { initiator: number; responder: number } {
    const { members } = this.#facts;
    return { initiator: members.user(session, 0), responder: members.user(session, 1) };
  }
}

function isSet(key: Uint8Array): boolean {
  return key.some((byte) => byte !== 0);
}
