/**
 * What lies under every pipeline: the hops between clients and relay, and the relay's store.
 *
 * The ladder is cumulative, so a pipeline is written once for the two ends (`EndToEnd`) and carried
 * over hops and store as its options say: `hop=on` seals each frame between a client and the relay,
 * `rest` seals what the relay keeps.
 *
 * A user sends over its own connection or, to hide that it is the sender, over an anonymous one.
 *
 * Directory traffic (bundles) is not sealed per hop here; its bytes are counted as they are.
 *
 * @module
 */

import { concatBytes, EMPTY, putUint32, utf8 } from '../core/bytes.ts';
import { HarnessError } from '../core/errors.ts';
import { SeededRandom } from '../core/random.ts';
import type { Aead, AeadName, Provider } from '../crypto/provider.ts';
import {
  Hop,
  HOP_HELLO_BYTES,
  HOP_OVERHEAD_BYTES,
  HOP_STATE_BYTES,
  HOP_TOKEN_BYTES,
  type RelayKeys,
} from '../protocols/hop.ts';
import {
  ANONYMOUS_CONNECTION,
  OUTCOME,
  type Clients,
  type FrameKind,
  type Options,
  type OptionSpec,
  type Outbox,
  type Relay,
  type RelayOpening,
  type SeizedDevice,
  type Setup,
  type World,
} from './_pipeline.ts';
import { RestSeal } from './_rest-seal.ts';
import { ScratchViews } from './_views.ts';

/** What a pipeline does at the two ends; everything of `Clients` but the connection. */
export type EndToEnd = Omit<Clients, 'connect'>;

/** The options of every carried pipeline, with this pipeline's defaults. */
export function carrierOptions(defaults: {
  readonly hop: 'on' | 'none';
  readonly rest: 'none' | 'segment' | 'user-day';
}): Record<'hop' | 'rest' | 'aead', OptionSpec> {
  return {
    hop: {
      title: 'records between client and relay: on, or none to isolate the inner protocol',
      values: ['on', 'none'],
      default: defaults.hop,
    },
    rest: {
      title: "the relay's seal at rest: none, a key per segment, or a key per user and day",
      values: ['none', 'segment', 'user-day'],
      default: defaults.rest,
    },
    aead: {
      title: 'the cipher of all layers',
      values: ['chacha20-poly1305', 'aes-256-gcm'],
      default: 'chacha20-poly1305',
    },
  };
}

export function aeadName(options: Options): AeadName {
  return options['aead'] === 'aes-256-gcm' ? 'aes-256-gcm' : 'chacha20-poly1305';
}

/** The AEAD that the options ask for. @throws HarnessError UNSUPPORTED. */
export function chosenAead(provider: Provider, options: Options): Aead {
  const name = aeadName(options);
  const aead = provider.aead[name];
  if (aead === undefined) {
    throw new HarnessError('UNSUPPORTED', `${provider.name} has no ${name}`);
  }
  return aead;
}

/**
 * Adds the connection, and the hops if there are any, to what the ends do.
 *
 * @param sending `anonymous`: each user sends over a second connection, on which it does not
 *   authenticate.
 */
export function carry(
  setup: Setup,
  ends: EndToEnd,
  sending: Sending = 'authenticated',
): Pick<World, 'clients' | 'relay' | 'senders'> {
  const carrier = openCarrier(setup, sending);
  const clients =
    setup.options['hop'] === 'none'
      ? new DirectClients(ends)
      : new HopClients(setup, ends, carrier.relay, carrier.senders);
  return { ...carrier, clients };
}

export type Sending = 'authenticated' | 'anonymous';

/** The provider's side alone, for clients that are not carried over hops. */
export function openCarrier(setup: Setup, sending: Sending): Pick<World, 'relay' | 'senders'> {
  const relay = new Uint8Array(RELAY_SECRET_BYTES);
  setup.randomness.fill(relay);
  return sending === 'anonymous' ? { relay, senders: drawSenders(setup) } : { relay };
}

/** Names the stream of random numbers that `drawSenders` uses. */
const SENDERS_STREAM = 0x616e_6f6e;

/** One anonymous connection per user, in an order that says nothing of the users'. */
function drawSenders({ seed, users }: Setup): Uint32Array {
  const order = Array.from({ length: users }, (_, number) => number);
  new SeededRandom(seed, SENDERS_STREAM).shuffle(order);
  return Uint32Array.from(order, (number) => ANONYMOUS_CONNECTION + number);
}

/** The relay's secrets: Ed25519 seed, key of the clients' tokens, key-encryption key. */
const RELAY_SECRET_BYTES = 96;
const SEED_AT = 0;
const TOKEN_KEY_AT = 32;
const KEK_AT = 64;

const TOKEN_LABEL = utf8('token of user ');

/** What an anonymous connection shows in place of a token. */
const NO_TOKEN = new Uint8Array(HOP_TOKEN_BYTES);

/** The bearer token of a user, which registration handed out: HMAC(token key, user). */
function writeToken(provider: Provider, out: Uint8Array, tokenKey: Uint8Array, user: number): void {
  const data = concatBytes(TOKEN_LABEL, new Uint8Array(4));
  putUint32(data, TOKEN_LABEL.length, user);
  provider.hmacSha256(out, tokenKey, data);
}

/** Ends around other ends: what a layer leaves alone goes straight to the ends below. */
export class ForwardingEnds {
  readonly publish: EndToEnd['publish'];
  readonly initiate: EndToEnd['initiate'];
  readonly snapshot: EndToEnd['snapshot'];
  readonly keys: EndToEnd['keys'];
  readonly seize?: (user: number) => SeizedDevice;
  readonly storedKeys: () => number;
  readonly acknowledge: (session: number, member: number) => void;

  constructor(ends: EndToEnd) {
    this.publish = ends.publish.bind(ends);
    this.initiate = ends.initiate.bind(ends);
    this.snapshot = ends.snapshot.bind(ends);
    this.keys = ends.keys.bind(ends);
    if (ends.seize !== undefined) this.seize = ends.seize.bind(ends);
    this.storedKeys = () => ends.storedKeys?.() ?? 0;
    this.acknowledge = (session, member) => ends.acknowledge?.(session, member);
  }
}

/** `hop=none`: frames go to the relay as the ends made them. */
class DirectClients extends ForwardingEnds implements Clients {
  readonly send: Clients['send'];
  readonly receive: Clients['receive'];

  constructor(ends: EndToEnd) {
    super(ends);
    this.send = ends.send.bind(ends);
    this.receive = ends.receive.bind(ends);
  }

  connect(): number {
    return 0;
  }
}

/** `hop=on`: every frame is one record of the connection over which its sender sends. */
class HopClients implements Clients {
  readonly #ends: EndToEnd;
  readonly #hop: Hop;
  readonly #members: Setup['members'];
  /** Of the users' own connections, by user. */
  readonly #states: Uint8Array;
  readonly #senders: Uint32Array | undefined;
  /** Of the anonymous connections, by number; the users' own ones where there are none. */
  readonly #sendingStates: Uint8Array;
  readonly #relayPublic = new Uint8Array(32);
  readonly #tokens: Uint8Array;
  readonly #sealing: SealingOutbox;
  readonly #views = new ScratchViews();
  readonly seize?: (user: number) => SeizedDevice;

  constructor(
    setup: Setup,
    ends: EndToEnd,
    relaySecret: Uint8Array,
    senders: Uint32Array | undefined,
  ) {
    const { provider, users } = setup;
    this.#ends = ends;
    if (ends.seize !== undefined) this.seize = ends.seize.bind(ends);
    this.#hop = new Hop(provider, setup.randomness, aeadName(setup.options));
    this.#members = setup.members;
    this.#states = new Uint8Array(users * HOP_STATE_BYTES);
    this.#senders = senders;
    this.#sendingStates =
      senders === undefined ? this.#states : new Uint8Array(users * HOP_STATE_BYTES);
    provider.ed25519Public(this.#relayPublic, relaySecret.slice(SEED_AT, SEED_AT + 32));
    this.#tokens = new Uint8Array(users * 32);
    const tokenKey = relaySecret.slice(TOKEN_KEY_AT, TOKEN_KEY_AT + 32);
    for (let user = 0; user < users; user++) {
      writeToken(provider, this.#tokens.subarray(user * 32, user * 32 + 32), tokenKey, user);
    }
    this.#sealing = new SealingOutbox(this.#hop);
  }

  connect(connection: number, reply: Uint8Array, _atMs: number, out: Uint8Array): number {
    const anonymous = connection >= ANONYMOUS_CONNECTION;
    const state = anonymous
      ? stateAt(this.#sendingStates, connection - ANONYMOUS_CONNECTION)
      : stateAt(this.#states, connection);
    if (reply.length === 0) return this.#hop.clientHello(state, out);
    const token = anonymous
      ? NO_TOKEN
      : this.#tokens.subarray(connection * 32, connection * 32 + 32);
    const length = this.#hop.clientFinish(state, this.#relayPublic, reply, token, out);
    return length < 0 ? OUTCOME.AUTH_FAILED : length;
  }

  publish(user: number, atMs: number, outbox: Outbox): void {
    this.#ends.publish(user, atMs, outbox);
  }

  initiate(session: number, member: number, bundle: Uint8Array, atMs: number): number {
    return this.#ends.initiate(session, member, bundle, atMs);
  }

  send(session: number, member: number, plaintext: Uint8Array, atMs: number, outbox: Outbox): void {
    this.#sealing.begin(this.#sendingState(this.#members.user(session, member)), outbox);
    this.#ends.send(session, member, plaintext, atMs, this.#sealing);
  }

  receive(
    session: number,
    member: number,
    frame: Uint8Array,
    atMs: number,
    out: Uint8Array,
  ): number {
    const length = frame.length - HOP_OVERHEAD_BYTES;
    if (length < 0) return OUTCOME.AUTH_FAILED;
    const inner = this.#views.take(length);
    const state = stateAt(this.#states, this.#members.user(session, member));
    if (this.#hop.openRecord(state, inner, frame) < 0) return OUTCOME.AUTH_FAILED;
    return this.#ends.receive(session, member, inner, atMs, out);
  }

  snapshot(user: number): Uint8Array {
    const connections = [stateAt(this.#states, user)];
    if (this.#senders !== undefined) connections.push(this.#sendingState(user));
    return concatBytes(this.#ends.snapshot(user), ...connections);
  }

  storedKeys(): number {
    return this.#ends.storedKeys?.() ?? 0;
  }

  acknowledge(session: number, member: number): void {
    this.#ends.acknowledge?.(session, member);
  }

  keys(user: number): Uint8Array {
    return this.#ends.keys(user);
  }

  #sendingState(user: number): Uint8Array {
    const senders = this.#senders;
    const index = senders === undefined ? user : senders[user]! - ANONYMOUS_CONNECTION;
    return stateAt(this.#sendingStates, index);
  }
}

function stateAt(states: Uint8Array, index: number): Uint8Array {
  return states.subarray(index * HOP_STATE_BYTES, (index + 1) * HOP_STATE_BYTES);
}

/** Seals what the ends emit into records of one connection. */
class SealingOutbox implements Outbox {
  readonly #hop: Hop;
  readonly #views = new ScratchViews();
  #state: Uint8Array = EMPTY;
  #outbox: Outbox | undefined;
  #frame: Uint8Array = EMPTY;

  constructor(hop: Hop) {
    this.#hop = hop;
  }

  begin(state: Uint8Array, outbox: Outbox): void {
    this.#state = state;
    this.#outbox = outbox;
  }

  reserve(bytes: number): Uint8Array {
    this.#frame = this.#views.take(bytes);
    return this.#frame;
  }

  emit(toUser: number, kind: FrameKind, length: number): void {
    const frame = length === this.#frame.length ? this.#frame : this.#frame.subarray(0, length);
    const record = this.#outbox!.reserve(length + HOP_OVERHEAD_BYTES);
    if (this.#hop.sealRecord(this.#state, record, frame) < 0) {
      throw new RangeError('"connection" expected one that is open, got one that is not');
    }
    this.#outbox!.emit(toUser, kind, length + HOP_OVERHEAD_BYTES);
  }
}

/**
 * The relay of every carried pipeline. Over an anonymous connection it takes frames from anyone:
 * nothing here limits abuse, for which Signal's clients show an access key of the receiver's.
 */
export function openCarrierRelay(opening: RelayOpening): Relay {
  return new CarrierRelay(opening);
}

class CarrierRelay implements Relay {
  readonly #provider: Provider;
  readonly #hop: Hop | undefined;
  readonly #rest: RestSeal | undefined;
  readonly #relayKeys: RelayKeys;
  readonly #tokenKey: Uint8Array;
  /** Of the users' own connections, by user. */
  readonly #states: Uint8Array[] = [];
  /** Of the anonymous connections, by number. */
  readonly #anonymousStates: Uint8Array[] = [];
  readonly #token = new Uint8Array(HOP_TOKEN_BYTES);
  readonly #views = new ScratchViews();

  constructor(opening: RelayOpening) {
    const { provider, secret, options, randomness } = opening;
    this.#provider = provider;
    const aead = chosenAead(provider, options);
    const seed = secret.slice(SEED_AT, SEED_AT + 32);
    const publicKey = new Uint8Array(32);
    provider.ed25519Public(publicKey, seed);
    this.#relayKeys = { signingKey: provider.ed25519Handle(seed), publicKey };
    this.#tokenKey = secret.slice(TOKEN_KEY_AT, TOKEN_KEY_AT + 32);
    this.#hop =
      options['hop'] === 'none' ? undefined : new Hop(provider, randomness, aeadName(options));
    this.#rest = openRestSeal(aead, opening);
  }

  connect(connection: number, flight: Uint8Array, _atMs: number, out: Uint8Array): number {
    if (this.#hop === undefined) return 0;
    const state = this.#state(connection);
    if (flight.length === HOP_HELLO_BYTES) {
      const length = this.#hop.relayAnswer(state, this.#relayKeys, flight, out);
      return length < 0 ? OUTCOME.AUTH_FAILED : length;
    }
    if (connection >= ANONYMOUS_CONNECTION) this.#token.set(NO_TOKEN);
    else writeToken(this.#provider, this.#token, this.#tokenKey, connection);
    return this.#hop.relayFinish(state, this.#token, flight) ? 0 : OUTCOME.AUTH_FAILED;
  }

  accept(from: number, to: number, frame: Uint8Array, atMs: number, out: Uint8Array): number {
    let inner = frame;
    if (this.#hop !== undefined) {
      const length = frame.length - HOP_OVERHEAD_BYTES;
      if (length < 0) return OUTCOME.AUTH_FAILED;
      inner = this.#rest === undefined ? out.subarray(0, length) : this.#views.take(length);
      if (this.#hop.openRecord(this.#state(from), inner, frame) < 0) return OUTCOME.AUTH_FAILED;
      if (this.#rest === undefined) return length;
    }
    if (this.#rest !== undefined) return this.#rest.seal(to, atMs, inner, out);
    out.set(inner);
    return inner.length;
  }

  deliver(to: number, stored: Uint8Array, _atMs: number, out: Uint8Array): number {
    const inner = this.#rest === undefined ? stored : this.#rest.open(to, stored);
    if (inner === undefined) return OUTCOME.AUTH_FAILED;
    if (this.#hop === undefined) {
      out.set(inner);
      return inner.length;
    }
    const record = out.subarray(0, inner.length + HOP_OVERHEAD_BYTES);
    const length = this.#hop.sealRecord(this.#state(to), record, inner);
    return length < 0 ? OUTCOME.UNKNOWN_KEY : length; // No open connection to deliver over.
  }

  handOver(to: number, stored: Uint8Array, out: Uint8Array): number {
    const inner = this.#rest === undefined ? stored : this.#rest.open(to, stored);
    if (inner === undefined) return OUTCOME.AUTH_FAILED;
    out.set(inner);
    return inner.length;
  }

  #state(connection: number): Uint8Array {
    const anonymous = connection >= ANONYMOUS_CONNECTION;
    const states = anonymous ? this.#anonymousStates : this.#states;
    const index = anonymous ? connection - ANONYMOUS_CONNECTION : connection;
    let state = states[index];
    if (state === undefined) {
      state = new Uint8Array(HOP_STATE_BYTES);
      states[index] = state;
    }
    return state;
  }
}

function openRestSeal(
  aead: Aead,
  { randomness, secret, options, wrappedKeys }: RelayOpening,
): RestSeal | undefined {
  const scope = options['rest'];
  if (scope !== 'segment' && scope !== 'user-day') return undefined;
  return new RestSeal(aead, randomness, secret.slice(KEK_AT, KEK_AT + 32), scope, wrappedKeys);
}
