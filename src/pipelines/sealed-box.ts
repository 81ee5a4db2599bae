import type { Randomness } from '../crypto/randomness.ts';
import { Hpke, HPKE_OVERHEAD_BYTES } from '../protocols/hpke.ts';
import { aeadName, carry, carrierOptions, openCarrierRelay, type EndToEnd } from './_carrier.ts';
import { SealedBoxInfo } from './_sealed-box-info.ts';
import { StaticIdentities } from './_static-identities.ts';
import { ScratchViews } from './_views.ts';
import type { PackedMembers } from './_members.ts';
import {
  OUTCOME,
  type Outbox,
  type Pipeline,
  type SeizedDevice,
  type Setup,
  type World,
} from './_pipeline.ts';

const NO_AAD = new Uint8Array(0);

/**
 * A frame is `enc` 32, ciphertext, tag 16. Neither end keeps anything of a session: `info` names the
 * session and the recipient, so that a box is of no use elsewhere.
 */
class SealedBoxEnds implements EndToEnd {
  readonly identities: StaticIdentities;
  readonly #randomness: Randomness;
  readonly #members: PackedMembers;
  readonly #hpke: Hpke;
  readonly #info = new SealedBoxInfo();
  readonly #views = new ScratchViews();

  constructor(setup: Setup) {
    this.#randomness = setup.randomness;
    this.#members = setup.members;
    this.#hpke = new Hpke(setup.provider, aeadName(setup.options));
    this.identities = new StaticIdentities(setup);
  }

  publish(user: number, _atMs: number, outbox: Outbox): void {
    this.identities.publish(user, outbox);
  }

  /** One Ed25519 verification. */
  initiate(session: number, member: number, bundle: Uint8Array, _atMs: number): number {
    const peer = this.#members.user(session, 1 - member);
    return this.identities.verifies(peer, bundle) ? 0 : OUTCOME.AUTH_FAILED;
  }

  /** One key generation and one X25519. */
  send(
    session: number,
    member: number,
    plaintext: Uint8Array,
    _atMs: number,
    outbox: Outbox,
  ): void {
    const peer = this.#members.user(session, 1 - member);
    const length = plaintext.length + HPKE_OVERHEAD_BYTES;
    const frame = outbox.reserve(length);
    const info = this.#infoOf(session, peer);
    const peerKey = this.identities.agreementKey(peer);
    this.#hpke.seal(frame, this.#randomness, peerKey, info, NO_AAD, plaintext);
    outbox.emit(peer, 'message', length);
  }

  /** One X25519. */
  receive(
    session: number,
    member: number,
    frame: Uint8Array,
    _atMs: number,
    out: Uint8Array,
  ): number {
    const length = frame.length - HPKE_OVERHEAD_BYTES;
    if (length < 0) return OUTCOME.AUTH_FAILED;
    const user = this.#members.user(session, member);
    const { identities } = this;
    const plaintext = this.#views.take(length);
    const opened = this.#hpke.open(
      plaintext,
      identities.agreementHandle(user),
      identities.agreementKey(user),
      this.#infoOf(session, user),
      NO_AAD,
      frame,
    );
    if (!opened) return OUTCOME.AUTH_FAILED;
    out.set(plaintext);
    return length;
  }

  snapshot(user: number): Uint8Array {
    return this.identities.secrets(user);
  }

  seize(user: number): SeizedDevice {
    return { secrets: this.identities.secrets(user), prekeys: [], sessions: [] };
  }

  keys(user: number): Uint8Array {
    return this.identities.secrets(user);
  }

  #infoOf(session: number, recipient: number): Uint8Array {
    return this.#info.of(session, this.identities.identity(recipient));
  }
}

/** Beside the ladder: each message is sealed afresh to the receiver's static key. */
const sealedBox: Pipeline = {
  name: 'sealed-box',
  title: "each message sealed on its own to the receiver's static key",
  family: 'ratchet',
  rung: 'side',
  adds: "secrecy from the relay alone, without the sender's authentication",
  predicate: 'The relay reads every message that passes.',
  specs: ['RFC 9180 section 6.1, base mode, DHKEM(X25519, HKDF-SHA256)'],
  caveats: [
    'Authenticates nobody: anyone who knows the receiver can send it a message in any name.',
    'No replay protection: the relay can deliver a message again and again.',
    'No forward secrecy: a seized device opens all that was ever sent to it.',
  ],
  options: carrierOptions({ hop: 'on', rest: 'user-day' }),
  replayProtection: false,
  skipLimit: Infinity,
  open(setup): World {
    const ends = new SealedBoxEnds(setup);
    return { ...carry(setup, ends), directory: ends.identities.directory };
  },
  openRelay: openCarrierRelay,
};

export default sealedBox;
