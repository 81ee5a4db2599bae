/**
 * The contract of a pipeline: how a message gets from sender to receiver through a relay.
 *
 * The engine owns all buffers. Inputs are valid only during the call; a pipeline writes into `out`
 * or into what `Outbox.reserve` gave, and keeps no reference to either. No output overlaps an input.
 *
 * Users are numbers; a session is a list of members, and a member is an index into that list. Time
 * is virtual: `atMs` is milliseconds since the start of the simulated world.
 *
 * @module
 */

import type { PrimitiveName, Provider } from '../crypto/provider.ts';
import type { Randomness } from '../crypto/randomness.ts';
import type { PackedMembers } from './_members.ts';

/** Expected refusals. Every length is zero or more, so a negative number is one of these. */
export const OUTCOME = {
  /** A message that was delivered before. */
  DUPLICATE: -1,
  /** More skipped messages than the pipeline keeps keys for. */
  TOO_FAR: -2,
  /** A key, session or prekey that this party does not hold. */
  UNKNOWN_KEY: -3,
  /** A tag or signature that does not verify, or a frame that does not parse. */
  AUTH_FAILED: -4,
  /** An escrow field that is missing or does not open. */
  ESCROW_INVALID: -5,
} as const;

export type OutcomeName = keyof typeof OUTCOME;

/**
 * What a frame on the wire is for; wire bytes are summed by kind. Receivers fetch messages only; the
 * rest stays with the relay.
 */
export const FRAME_KINDS = ['message', 'control', 'escrow', 'bundle'] as const;
export type FrameKind = (typeof FRAME_KINDS)[number];

/** Where a client writes what it sends. */
export interface Outbox {
  /** A view of exactly `bytes` bytes to write one frame into; valid until `emit`. */
  reserve(bytes: number): Uint8Array;
  /** Sends the first `length` bytes of what was reserved last. */
  emit(toUser: number, kind: FrameKind, length: number): void;
}

export interface Setup {
  readonly provider: Provider;
  readonly randomness: Randomness;
  /** Users are 0 to `users - 1`. */
  readonly users: number;
  readonly members: PackedMembers;
  readonly options: Options;
  /** Distinguishes worlds, for what must differ between them but not between providers. */
  readonly seed: number;
}

/** Option name to value, defaults filled in. */
export type Options = Readonly<Record<string, string>>;

export interface OptionSpec {
  /** One line. */
  readonly title: string;
  /** The allowed words, or `integer` with bounds. */
  readonly values: readonly string[] | { readonly min: number; readonly max: number };
  readonly default: string;
}

/**
 * Set in the number of a connection that does not say whose it is: nobody authenticates over it, and
 * it serves for sending only. The other bits count such connections, in an order that is not that of
 * the users. Numbers without this bit are users, each on a connection of its own.
 */
export const ANONYMOUS_CONNECTION = 0x8000_0000;

/** What exists when all users have registered and no session has begun. */
export interface World {
  readonly clients: Clients | AsyncClients;
  /**
   * How many sessions are under a warrant: those below this number; all where it is left out. The
   * authority gets the evidence of these only.
   */
  readonly targets?: number;
  /**
   * Which frames are the authority's evidence. `message`, where it is left out: those that go to the
   * receiver. `escrow`: those that a sender emits for the authority, to a mailbox of its own.
   */
  readonly evidence?: 'message' | 'escrow';
  /** The first message of a session of which there is evidence; 0 where it is left out. */
  readonly evidenceFrom?: number;
  /**
   * Set where evidence may have to wait for a later frame of the other member: what the authority
   * answers with UNKNOWN_KEY is shown to it again after that.
   */
  readonly answersLate?: true;
  /** Set where each message's evidence suffices for it: what was lost before excuses no failure. */
  readonly standsAlone?: true;
  /**
   * The connection over which each user sends, where it is not the user's own: then every connection
   * listed here is opened besides those of the users.
   */
  readonly senders?: Uint32Array;
  /** The relay's secrets, serialised. */
  readonly relay: Uint8Array;
  /** The authority's secrets, serialised: one item per trustee. Only where the pipeline has one. */
  readonly authority?: readonly Uint8Array[];
  /** What the provider's directory shows to anyone: the public identities of all users. */
  readonly directory: Uint8Array;
}

export interface Clients {
  /**
   * One flight of opening a connection to the relay. Role sender.
   *
   * @param connection A user, or one of `World.senders`.
   * @param reply Empty at first, then what the relay answered.
   * @returns Bytes of the next flight in `out`; 0 when nothing more is to be sent.
   */
  connect(connection: number, reply: Uint8Array, atMs: number, out: Uint8Array): number;
  /** Emits one prekey bundle of `user` to the directory. Role receiver. */
  publish(user: number, atMs: number, outbox: Outbox): void;
  /**
   * Opens the session at `member`'s end towards the other member. First frames of `send` carry the
   * handshake. Role sender.
   *
   * @param bundle What the other end published; empty where the pipeline publishes none.
   * @returns 0, or a negative outcome when the bundle is refused.
   */
  initiate(session: number, member: number, bundle: Uint8Array, atMs: number): number;
  /** Emits the frame, or frames, that carry `plaintext` to the other member. Role sender. */
  send(session: number, member: number, plaintext: Uint8Array, atMs: number, outbox: Outbox): void;
  /**
   * Opens a frame at `member`'s end. Role receiver.
   *
   * @returns The length of the plaintext in `out`, or a negative outcome.
   */
  receive(
    session: number,
    member: number,
    frame: Uint8Array,
    atMs: number,
    out: Uint8Array,
  ): number;
  /** The relay has stored what `member` sent last in `session`. Only where senders wait for that. */
  acknowledge?(session: number, member: number): void;
  /** All that seizing the device of `user` yields, serialised. */
  snapshot(user: number): Uint8Array;
  /** The same told apart, for attacks; only where ends give up their state. Copies. */
  seize?(user: number): SeizedDevice;
  /** Keys of skipped messages that all ends keep now; only where ends keep such keys. */
  storedKeys?(): number;
  /** The long-lived and current private X25519 and Ed25519 keys of `user`, 32 bytes each. */
  keys(user: number): Uint8Array;
}

/** What a device yields when it is seized. */
export interface SeizedDevice {
  /**
   * Identity secret 32 and signing seed 32, and with prekeys the signed prekey's secret 32; empty
   * where a device holds no such keys.
   */
  readonly secrets: Uint8Array;
  /** One-time prekeys that no handshake has used yet. */
  readonly prekeys: readonly SeizedPrekey[];
  readonly sessions: readonly SeizedSession[];
}

export interface SeizedPrekey {
  readonly id: number;
  /** X25519 secret 32, and with PQXDH that of the KEM prekey published with it. */
  readonly secrets: Uint8Array;
}

export interface SeizedSession {
  readonly session: number;
  readonly member: number;
  /** The packed state of this end: that of `RatchetState`, `ChainState` or `StaticState`. */
  readonly state: Uint8Array;
  /** Of an epoch of re-keying that is open; empty where there is none. */
  readonly underWay: Uint8Array;
  /** Keys of messages passed over: n 4, chain label 32, message key, each. */
  readonly skipped: Uint8Array;
}

/**
 * Clients of a library whose calls are asynchronous. The engine awaits one call at a time, so nothing
 * of theirs runs at once; their CPU is that of the process, because such a library may compute on
 * other threads. They export no state: what they hold stays in the library.
 */
export interface AsyncClients {
  readonly asynchronous: true;
  publish(user: number, atMs: number, outbox: Outbox): Promise<void>;
  initiate(session: number, member: number, bundle: Uint8Array, atMs: number): Promise<number>;
  send(
    session: number,
    member: number,
    plaintext: Uint8Array,
    atMs: number,
    outbox: Outbox,
  ): Promise<void>;
  receive(
    session: number,
    member: number,
    frame: Uint8Array,
    atMs: number,
    out: Uint8Array,
  ): Promise<number>;
}

/** The clients of a pipeline that is known to be synchronous. @throws TypeError for others. */
export function synchronousClients(clients: Clients | AsyncClients): Clients {
  if ('asynchronous' in clients) throw new TypeError('"clients" expected synchronous ones');
  return clients;
}

/**
 * The relay's work. It knows whom a frame is for and over which connection it came; whose connection
 * that is, it knows unless the connection is anonymous.
 */
export interface Relay {
  /** Answers one flight of a connection that is being opened; 0 when nothing is to be answered. */
  connect(connection: number, flight: Uint8Array, atMs: number, out: Uint8Array): number;
  /**
   * Takes a frame for `to`'s mailbox.
   *
   * @param from The connection: a user, or one of `World.senders`.
   * @returns The length of what is stored.
   */
  accept(from: number, to: number, frame: Uint8Array, atMs: number, out: Uint8Array): number;
  /** What goes to `to` when it fetches something stored. @returns Its length. */
  deliver(to: number, stored: Uint8Array, atMs: number, out: Uint8Array): number;
  /** What the provider can hand over of something stored in `to`'s mailbox: its own seals opened. */
  handOver(to: number, stored: Uint8Array, out: Uint8Array): number;
}

export interface Authority {
  /**
   * The relay's time, which goes forward: what the authority may no longer know by then, it forgets.
   * No frame says it, because whoever seals a frame chooses what is in it.
   */
  advance?(atMs: number): void;
  /**
   * Recovers one message from what the relay handed over. Whether what opened is what was sent, only
   * the engine knows: it tells valid and decoy apart.
   *
   * @param member Who sent it.
   * @returns The length of the plaintext in `out`, or a negative outcome when nothing opened.
   */
  recover(session: number, member: number, evidence: Uint8Array, out: Uint8Array): number;
  /** What its device yields when it is seized; only where the authority has one. For attacks. */
  seize?(): SeizedDevice;
}

/**
 * Where a relay keeps its wrapped data keys beside what they seal, so that a relay that is built again
 * from its secret reads what was stored before.
 */
export interface WrappedKeys {
  /**
   * Counts how often a relay was built on this store. It is part of every nonce, because the counters
   * of a data key end with the process that counted.
   */
  readonly epoch: number;
  get(id: number): Uint8Array | undefined;
  /**
   * To be kept before anything sealed under it counts as stored.
   *
   * @param untilMs Nothing is sealed under it after this time; Infinity where that is not known.
   */
  set(id: number, wrapped: Uint8Array, untilMs: number): void;
}

/** What the provider's side is built from, here or in another process. */
export interface RelayOpening {
  /** Left out where the store ends with the relay. */
  readonly wrappedKeys?: WrappedKeys | undefined;
  readonly provider: Provider;
  readonly randomness: Randomness;
  readonly secret: Uint8Array;
  readonly options: Options;
}

export interface AuthorityOpening {
  readonly provider: Provider;
  readonly secrets: readonly Uint8Array[];
  readonly directory: Uint8Array;
  readonly members: PackedMembers;
  readonly options: Options;
}

export const FAMILIES = ['plaintext-relay', 'ratchet', 'escrow-wrapped'] as const;
export type Family = (typeof FAMILIES)[number];

/** A pipeline that somebody else's library computes. */
export interface ForeignLibrary {
  /** What the cell's implementation is called: `libsignal`. */
  readonly implementation: string;
  /** On npm; installed by the user, never bundled. */
  readonly package: string;
  readonly licence: string;
  /** The pipeline of ours that its figures are set beside, with options. */
  readonly comparedWith: string;
  /**
   * What it computes besides, or leaves out, against that pipeline: one sentence each, printed beside
   * its numbers.
   */
  readonly differences: readonly string[];
  /** Set where its calls are asynchronous: it is measured by the CPU of the process only. */
  readonly asynchronous?: true;
  /** Loads it. @throws HarnessError UNAVAILABLE, with how to get it. */
  version(this: void): Promise<string>;
}

/**
 * Bytes that a world keeps, wherever they lie, with the dearest of options that it was not told: rather
 * too many than too few. Runs that would not fit are refused by them.
 */
export interface MemoryNeeds {
  /** Of an open session, both ends. */
  readonly sessionBytes: number;
  /** Of a user: keys, handles and connections. */
  readonly userBytes: number;
  /** Where a part lies in a memory that one thread cannot have more of: a WebAssembly memory. */
  readonly addressed?: { readonly sessionBytes: number; readonly threadBytesMax: number };
}

/** What a file in `src/pipelines/` exports as default. */
export interface Pipeline {
  readonly name: string;
  readonly title: string;
  readonly family: Family;
  /** Its place: `L0` to `L11`, `E0` to `E7`, or `side`. */
  readonly rung: string;
  /** The protection that it adds to the rung below; for escrow, what it removes. */
  readonly adds?: string;
  readonly removes?: string;
  /**
   * What the absence of the protection lets an attacker do, as a sentence: it succeeds on the rung
   * below and fails on this one.
   */
  readonly predicate?: string;
  /** Specifications with revision and sections. */
  readonly specs: readonly string[];
  /** Printed beside its numbers. */
  readonly caveats: readonly string[];
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Whether a message that is delivered twice is refused the second time. */
  readonly replayProtection: boolean;
  /** How many messages of a chain may be missing before the next one; Infinity for any order. */
  readonly skipLimit: number;
  /**
   * What the authority recovers of the evidence when nothing is lost; `all` where it is left out. With
   * `none` every recovery is a fault.
   */
  readonly recovers?: 'all' | 'none';
  /** Primitives that not every provider loads by itself: see `ProviderModule.load`. */
  readonly needs?: readonly PrimitiveName[];
  /** What its worlds keep; a general guess where it is left out. */
  readonly memory?: MemoryNeeds | ((options: Options) => MemoryNeeds);
  /** Set where everything that the pipeline adds is paid for sessions under a warrant only. */
  readonly paidByTargets?: true;
  /** Set where a library computes the ends: the cell's implementation is then that library. */
  readonly foreign?: ForeignLibrary;
  open(setup: Setup): World | Promise<World>;
  openRelay(opening: RelayOpening): Relay;
  openAuthority?(opening: AuthorityOpening): Authority;
}
