import type { Account } from '@matrix-org/olm';
import { concatBytes } from '../../core/bytes.ts';
import { HarnessError } from '../../core/errors.ts';
import { foreignFailure } from './_library.ts';
import {
  LIBOLM,
  LIBOLM_SKIP_LIMIT,
  loadLibolm,
  OLM_TYPE,
  type Libolm,
  type OlmMessage,
} from './_libolm.ts';
import { KeptSessions, PickledSessions } from './_olm-sessions.ts';
import {
  fieldsOf,
  innerMessageOf,
  ratchetHeaderOf,
  type RatchetHeader,
} from './_ratchet-header.ts';
import { ReceivedPositions } from './_received-positions.ts';
import { carry, carrierOptions, openCarrierRelay, type EndToEnd } from '../_carrier.ts';
import type { PackedMembers } from '../_members.ts';
import { PERSIST_OPTION } from '../_session-records.ts';
import { OUTCOME, type Outbox, type Pipeline, type Setup, type World } from '../_pipeline.ts';

/** In front of each message: which of Olm's two types it has, as beside every message in Matrix. */
const TYPE_BYTES = 1;

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** Curve25519 identity, Ed25519 identity, one-time key, signatures of the first and the last. */
const BUNDLE_BYTES = 3 * KEY_BYTES + 2 * SIGNATURE_BYTES;
const AT = {
  identity: 0,
  signing: KEY_BYTES,
  oneTime: 2 * KEY_BYTES,
  identitySignature: 3 * KEY_BYTES,
  oneTimeSignature: 3 * KEY_BYTES + SIGNATURE_BYTES,
} as const;

/** A user. Keys and signatures are in unpadded base64, as libolm gives and takes them. */
interface Device {
  readonly account: Account;
  readonly identity: string;
  readonly signing: string;
  readonly identitySignature: string;
  /** One-time keys that were published and not used yet. */
  outstanding: number;
  /** Published again and again while no more one-time keys can be outstanding. */
  fallback: string | undefined;
}

/**
 * Frees what a world kept in libolm's memory, which no garbage collector sees. What is listed here
 * outlives the world by a moment, so nothing is that the collector can take by itself.
 */
const worlds = new FinalizationRegistry<{ free(): void }[]>((objects) => {
  for (const object of objects) object.free();
});

class OlmEnds implements EndToEnd {
  readonly #library: Libolm;
  readonly #members: PackedMembers;
  readonly #devices: readonly Device[];
  readonly #sessions: KeptSessions | PickledSessions;
  readonly #positions: ReceivedPositions;
  readonly #utility: InstanceType<Libolm['Utility']>;

  /** Registers all users: two key generations and one signature each. */
  constructor(library: Libolm, { members, users, options }: Setup) {
    this.#library = library;
    this.#members = members;
    this.#devices = Array.from({ length: users }, () => register(library));
    const objects: { free(): void }[] = this.#devices.map(({ account }) => account);
    if (options['persist'] === 'record') {
      this.#sessions = new PickledSessions(library);
    } else {
      this.#sessions = new KeptSessions();
      objects.push(this.#sessions);
    }
    this.#positions = new ReceivedPositions(members.sessions * 2);
    this.#utility = new library.Utility();
    objects.push(this.#utility);
    worlds.register(this, objects);
  }

  /** Public identity keys of all users, 64 bytes each. */
  directory(): Uint8Array {
    return concatBytes(
      ...this.#devices.flatMap(({ identity, signing }) => [binary(identity), binary(signing)]),
    );
  }

  /** A fresh one-time key: one key generation and one signature. */
  publish(user: number, _atMs: number, outbox: Outbox): void {
    const device = this.#devices[user]!;
    const oneTime = oneTimeKeyOf(device);
    const bundle = outbox.reserve(BUNDLE_BYTES);
    put(bundle, AT.identity, device.identity);
    put(bundle, AT.signing, device.signing);
    put(bundle, AT.oneTime, oneTime);
    put(bundle, AT.identitySignature, device.identitySignature);
    put(bundle, AT.oneTimeSignature, device.account.sign(oneTime));
    outbox.emit(user, 'bundle', BUNDLE_BYTES);
  }

  /** Two Ed25519 verifications, two key generations and three X25519. */
  initiate(session: number, member: number, bundle: Uint8Array, _atMs: number): number {
    const device = this.#devices[this.#members.user(session, member)]!;
    const peer = this.#devices[this.#members.user(session, 1 - member)]!;
    if (bundle.length !== BUNDLE_BYTES) return OUTCOME.AUTH_FAILED;
    const identity = text(bundle, AT.identity, KEY_BYTES);
    const signing = text(bundle, AT.signing, KEY_BYTES);
    if (identity !== peer.identity || signing !== peer.signing) return OUTCOME.AUTH_FAILED;
    const oneTime = text(bundle, AT.oneTime, KEY_BYTES);
    const identitySignature = text(bundle, AT.identitySignature, SIGNATURE_BYTES);
    const oneTimeSignature = text(bundle, AT.oneTimeSignature, SIGNATURE_BYTES);
    const opened = new this.#library.Session();
    try {
      this.#utility.ed25519_verify(signing, identity, identitySignature);
      this.#utility.ed25519_verify(signing, oneTime, oneTimeSignature);
      opened.create_outbound(device.account, identity, oneTime);
    } catch (error) {
      opened.free();
      return refusalOf(error);
    }
    this.#sessions.put(session * 2 + member, opened);
    return 0;
  }

  send(
    session: number,
    member: number,
    plaintext: Uint8Array,
    _atMs: number,
    outbox: Outbox,
  ): void {
    const end = session * 2 + member;
    let message: OlmMessage;
    try {
      message = this.#sessions.use(end, (opened) => this.#library.calls.encrypt(opened, plaintext));
    } catch (error) {
      throw foreignFailure('libolm', error);
    }
    const length = TYPE_BYTES + Math.floor((message.body.length * 3) / 4);
    const frame = outbox.reserve(length);
    frame[0] = message.type;
    put(frame, TYPE_BYTES, message.body);
    outbox.emit(this.#members.user(session, 1 - member), 'message', length);
  }

  receive(
    session: number,
    member: number,
    frame: Uint8Array,
    _atMs: number,
    out: Uint8Array,
  ): number {
    const end = session * 2 + member;
    const type = frame[0];
    if (type !== OLM_TYPE.normal && type !== OLM_TYPE.prekey) return OUTCOME.AUTH_FAILED;
    const isOpen = this.#sessions.has(end);
    if (!isOpen && type === OLM_TYPE.normal) return OUTCOME.UNKNOWN_KEY;
    const bytes = frame.subarray(TYPE_BYTES);
    const message = { type, body: text(bytes, 0, bytes.length) };
    try {
      const length = isOpen
        ? this.#sessions.use(end, (opened) => this.#library.calls.decrypt(opened, message, out))
        : this.#accept(session, member, message, out);
      const header = headerOf(type, bytes);
      if (header !== undefined) this.#positions.add(end, header);
      return length;
    } catch (error) {
      return this.#refused(error, end, type, bytes);
    }
  }

  snapshot(): never {
    throw new HarnessError(
      'UNSUPPORTED',
      'libolm gives its state encrypted and in a form of its own',
    );
  }

  keys(): never {
    throw new HarnessError('UNSUPPORTED', 'libolm does not give its private keys');
  }

  /** One key lookup and three X25519, then the message; the one-time key goes when it opened. */
  #accept(session: number, member: number, message: OlmMessage, out: Uint8Array): number {
    const device = this.#devices[this.#members.user(session, member)]!;
    const peer = this.#devices[this.#members.user(session, 1 - member)]!;
    const opened = new this.#library.Session();
    let length: number;
    try {
      opened.create_inbound_from(device.account, peer.identity, message.body);
      length = this.#library.calls.decrypt(opened, message, out);
      device.account.remove_one_time_keys(opened);
    } catch (error) {
      opened.free();
      throw error;
    }
    if (!usesKey(message, device.fallback)) device.outstanding -= 1;
    this.#sessions.put(session * 2 + member, opened);
    return length;
  }

  /** libolm has one error for replays, gaps and wrong MACs: what the header says tells them apart. */
  #refused(error: unknown, end: number, type: number, bytes: Uint8Array): number {
    const outcome = refusalOf(error);
    const isAmbiguous = error instanceof Error && error.message === 'OLM.BAD_MESSAGE_MAC';
    const header = isAmbiguous ? headerOf(type, bytes) : undefined;
    if (header === undefined) return outcome;
    const missing = header.counter - this.#positions.next(end, header);
    if (missing < 0) return OUTCOME.DUPLICATE;
    return missing > LIBOLM_SKIP_LIMIT ? OUTCOME.TOO_FAR : outcome;
  }
}

/** Errors that a peer's message or key can cause, by libolm's names. */
const REFUSALS: Readonly<Record<string, number>> = {
  'OLM.BAD_MESSAGE_KEY_ID': OUTCOME.UNKNOWN_KEY,
  'OLM.BAD_MESSAGE_MAC': OUTCOME.AUTH_FAILED,
  'OLM.BAD_MESSAGE_FORMAT': OUTCOME.AUTH_FAILED,
  'OLM.BAD_MESSAGE_VERSION': OUTCOME.AUTH_FAILED,
  'OLM.BAD_SIGNATURE': OUTCOME.AUTH_FAILED,
  'OLM.INVALID_BASE64': OUTCOME.AUTH_FAILED,
};

/** @throws HarnessError for what is no refusal. */
function refusalOf(error: unknown): number {
  const outcome = error instanceof Error ? REFUSALS[error.message] : undefined;
  if (outcome === undefined) throw foreignFailure('libolm', error);
  return outcome;
}

function register({ Account: Olm }: Libolm): Device {
  const account = new Olm();
  account.create();
  const { curve25519: identity, ed25519: signing } = JSON.parse(account.identity_keys()) as {
    readonly curve25519: string;
    readonly ed25519: string;
  };
  const identitySignature = account.sign(identity);
  return { account, identity, signing, identitySignature, outstanding: 0, fallback: undefined };
}

/** A new one-time key; the fallback key when the account holds as many as it can. */
function oneTimeKeyOf(device: Device): string {
  const { account } = device;
  if (device.outstanding < account.max_number_of_one_time_keys()) {
    account.generate_one_time_keys(1);
    const key = onlyKeyOf(account.one_time_keys());
    account.mark_keys_as_published();
    device.outstanding += 1;
    return key;
  }
  if (device.fallback === undefined) {
    account.generate_fallback_key();
    device.fallback = onlyKeyOf(account.unpublished_fallback_key());
    account.mark_keys_as_published();
  }
  return device.fallback;
}

/** Of `{"curve25519":{"AAAAAQ":"..."}}`. */
function onlyKeyOf(json: string): string {
  const { curve25519 } = JSON.parse(json) as { readonly curve25519: Record<string, string> };
  return Object.values(curve25519)[0]!;
}

/** Whether a message with a handshake was made for this one-time key, its first field. */
function usesKey({ body }: OlmMessage, key: string | undefined): boolean {
  if (key === undefined) return false;
  const field = fieldsOf(binary(body).subarray(1))?.find(({ number }) => number === 1)?.value;
  return field instanceof Uint8Array && text(field, 0, field.length) === key;
}

function headerOf(type: number, bytes: Uint8Array): RatchetHeader | undefined {
  const message = type === OLM_TYPE.prekey ? innerMessageOf(bytes) : bytes;
  return message === undefined ? undefined : ratchetHeaderOf(message);
}

function binary(base64: string): Uint8Array {
  return Uint8Array.fromBase64(base64);
}

function put(out: Uint8Array, at: number, base64: string): void {
  out.subarray(at).setFromBase64(base64);
}

function text(bytes: Uint8Array, at: number, length: number): string {
  return bytes.subarray(at, at + length).toBase64({ omitPadding: true });
}

/** Matrix's Double Ratchet as its own library computes it, to be set beside L6. */
const doubleRatchet: Pipeline = {
  name: 'double-ratchet.libolm',
  title: "Olm's triple Diffie-Hellman and Double Ratchet, computed by libolm",
  family: 'ratchet',
  rung: 'side',
  adds: "as L6: post-compromise security, by Matrix's own construction",
  specs: ['Olm: A Cryptographic Ratchet, version 1 (Matrix.org, 2016; libolm 3.2.15, docs/olm.md)'],
  caveats: [
    'Its state comes out of it encrypted and in a form of its own, so what a seized device exposes is not measured.',
    'Its random numbers are its own: a run cannot be repeated to the byte.',
    'Deprecated by its authors in favour of vodozemac.',
    'Frames are counted in binary; Matrix carries them in base64, a third longer. What libolm spends on making base64, and the adapter on reading and writing it, is counted.',
    'encrypt and decrypt are called as its C interface has them, because its JavaScript methods take texts only; what those methods add is not counted.',
    'It keeps 40 keys of skipped messages per session and the five latest receiving chains: what comes later than that is lost.',
    'It has one error for replays, gaps and wrong MACs; the adapter keeps 60 bytes per end to tell them apart.',
  ],
  options: {
    ...carrierOptions({ hop: 'none', rest: 'none' }),
    persist: {
      ...PERSIST_OPTION,
      title:
        'record: each call unpickles the session and pickles it again, as clients of it do; packed: its session objects stay in its memory',
      default: 'record',
    },
  },
  // Measured by scale/libraries; of it what lies in WebAssembly, accounts of users included.
  memory: {
    sessionBytes: 8_192,
    userBytes: 8_192,
    addressed: { sessionBytes: 1_536, threadBytesMax: 2 ** 31 },
  },
  replayProtection: true,
  skipLimit: LIBOLM_SKIP_LIMIT,
  foreign: {
    ...LIBOLM,
    comparedWith: 'double-ratchet:hop=none,persist=record,rest=none',
    differences: [
      'A pickle is encrypted with AES-256-CBC, authenticated and written in base64; our record with persist=record is a plain copy. A pickle holds the keys of skipped messages, our record does not.',
      'Messages are encrypted with AES-256-CBC and authenticated with HMAC-SHA256 cut to 8 bytes; ours with ChaCha20-Poly1305 and a tag of 16 bytes.',
      'Its handshake is three X25519 with a one-time key and no signed prekey; ours, X3DH, four with both.',
      'Messages are written and read in base64 inside the library.',
      'It is C and C++ compiled to WebAssembly, with portable code for X25519 and AES; ours computes with the provider that is named beside it.',
      'Its header has no number of messages in the previous chain: keys of a chain that ended are not made in advance, the chain is kept instead.',
      'It makes its next ratchet key when it sends, ours on receipt of the other end’s (turn=deferred would be as it does), so the sender of a turn pays for a key pair, an X25519 and an HKDF that ours charges to its receiver.',
    ],
  },
  async open(setup): Promise<World> {
    const ends = new OlmEnds(await loadLibolm(), setup);
    return { ...carry(setup, ends), directory: ends.directory() };
  },
  openRelay: openCarrierRelay,
};

export default doubleRatchet;
