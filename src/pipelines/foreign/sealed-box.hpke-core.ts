import type { CipherSuite } from '@hpke/core';
import {
  HPKE_CORE,
  HPKE_CORE_AEAD_OPTION,
  importKeyPair,
  loadHpkeCore,
  openSuite,
  refusalOf,
  type HpkeCore,
  type ImportedKeyPair,
} from './_hpke-core.ts';
import { directOptions, foreignFailure } from './_library.ts';
import { openCarrier, openCarrierRelay } from '../_carrier.ts';
import type { PackedMembers } from '../_members.ts';
import {
  OUTCOME,
  type AsyncClients,
  type Outbox,
  type Pipeline,
  type Setup,
  type World,
} from '../_pipeline.ts';
import { SealedBoxInfo } from '../_sealed-box-info.ts';
import { StaticIdentities } from '../_static-identities.ts';
import { HPKE_ENC_BYTES, HPKE_OVERHEAD_BYTES } from '../../protocols/hpke.ts';

/** The ends of `sealed-box`, with seal and open by the library: the same frames, from `enc` to tag. */
class SealedBoxClients implements AsyncClients {
  readonly asynchronous = true;
  readonly #library: HpkeCore;
  readonly #suite: CipherSuite;
  readonly #members: PackedMembers;
  readonly #identities: StaticIdentities;
  readonly #keys: readonly ImportedKeyPair[];
  readonly #info = new SealedBoxInfo();

  private constructor(
    library: HpkeCore,
    suite: CipherSuite,
    members: PackedMembers,
    identities: StaticIdentities,
    keys: readonly ImportedKeyPair[],
  ) {
    this.#library = library;
    this.#suite = suite;
    this.#members = members;
    this.#identities = identities;
    this.#keys = keys;
  }

  /** Imports every user's key pair. */
  static async open(
    library: HpkeCore,
    setup: Setup,
    identities: StaticIdentities,
  ): Promise<AsyncClients> {
    const suite = openSuite(library);
    const keys: ImportedKeyPair[] = [];
    for (let user = 0; user < setup.users; user++) {
      const secret = identities.secrets(user).subarray(0, 32);
      keys.push(await importKeyPair(suite, secret, identities.agreementKey(user)));
    }
    return new SealedBoxClients(library, suite, setup.members, identities, keys);
  }

  async publish(user: number, _atMs: number, outbox: Outbox): Promise<void> {
    this.#identities.publish(user, outbox);
  }

  /** One Ed25519 verification, by the provider. */
  async initiate(session: number, member: number, bundle: Uint8Array): Promise<number> {
    const peer = this.#members.user(session, 1 - member);
    return this.#identities.verifies(peer, bundle) ? 0 : OUTCOME.AUTH_FAILED;
  }

  async send(
    session: number,
    member: number,
    plaintext: Uint8Array,
    _atMs: number,
    outbox: Outbox,
  ): Promise<void> {
    const peer = this.#members.user(session, 1 - member);
    const recipientPublicKey = this.#keys[peer]!.publicKey;
    const info = this.#info.of(session, this.#identities.identity(peer));
    let sealed: Awaited<ReturnType<CipherSuite['seal']>>;
    try {
      sealed = await this.#suite.seal({ recipientPublicKey, info }, plaintext);
    } catch (error) {
      throw foreignFailure('@hpke/core', error);
    }
    const length = plaintext.length + HPKE_OVERHEAD_BYTES;
    const frame = outbox.reserve(length);
    frame.set(new Uint8Array(sealed.enc));
    frame.set(new Uint8Array(sealed.ct), HPKE_ENC_BYTES);
    outbox.emit(peer, 'message', length);
  }

  async receive(
    session: number,
    member: number,
    frame: Uint8Array,
    _atMs: number,
    out: Uint8Array,
  ): Promise<number> {
    const length = frame.length - HPKE_OVERHEAD_BYTES;
    if (length < 0) return OUTCOME.AUTH_FAILED;
    const user = this.#members.user(session, member);
    const recipientKey = this.#keys[user]!;
    const info = this.#info.of(session, this.#identities.identity(user));
    const enc = frame.subarray(0, HPKE_ENC_BYTES);
    try {
      const opened = await this.#suite.open(
        { recipientKey, enc, info },
        frame.subarray(HPKE_ENC_BYTES),
      );
      out.set(new Uint8Array(opened));
      return opened.byteLength;
    } catch (error) {
      return refusalOf(this.#library, error);
    }
  }
}

/** `sealed-box` with seal and open by @hpke/core: the same bytes on the wire. */
const sealedBox: Pipeline = {
  name: 'sealed-box.hpke-core',
  title: "each message sealed on its own to the receiver's static key, by @hpke/core",
  family: 'ratchet',
  rung: 'side',
  adds: 'as sealed-box: the same function, computed by another implementation',
  specs: ['RFC 9180 section 6.1, base mode, DHKEM(X25519, HKDF-SHA256), AES-256-GCM'],
  caveats: [
    'Computes on WebCrypto, whose calls are asynchronous and use threads of their own; CPU is that of the process.',
    'Its random numbers are its own: a run cannot be repeated to the byte.',
    "What it returns in arrays of its own is copied into the engine's buffers.",
    'As sealed-box: authenticates nobody, refuses no replay and has no forward secrecy.',
  ],
  options: {
    ...directOptions(),
    aead: HPKE_CORE_AEAD_OPTION,
  },
  replayProtection: false,
  skipLimit: Infinity,
  foreign: {
    ...HPKE_CORE,
    comparedWith: 'sealed-box:aead=aes-256-gcm,hop=none,rest=none',
    differences: [
      'Frames are those of sealed-box to the byte: each opens what the other sealed.',
      'Only seal and open are its own: keys of users, their signatures and the check of a bundle are ours, by the provider.',
      'It derives the exporter secret of every context, as RFC 9180 section 5.1 has it; ours leaves out what nobody asks for.',
      "Long-lived keys are imported once, as ours are; the sender's ephemeral key is made by WebCrypto.",
    ],
  },
  async open(setup): Promise<World> {
    const library = await loadHpkeCore();
    const identities = new StaticIdentities(setup);
    return {
      ...openCarrier(setup, 'authenticated'),
      clients: await SealedBoxClients.open(library, setup, identities),
      directory: identities.directory,
    };
  },
  openRelay: openCarrierRelay,
};

export default sealedBox;
