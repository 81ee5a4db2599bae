/**
 * A town: users who talk through a relay in seeded conversations, recorded at every place, with all
 * devices copied at one time.
 *
 * Towns are independent of each other and small, so that what a run holds in memory is one of them,
 * however many conversations it has in all.
 *
 * @module
 */

import { EMPTY, equalBytes } from '../core/bytes.ts';
import { SeededRandom } from '../core/random.ts';
import type { Provider } from '../crypto/provider.ts';
import { seededRandomness, type Randomness } from '../crypto/randomness.ts';
import type { EscrowSetup } from '../pipelines/_escrow-ratchet.ts';
import { PackedMembers } from '../pipelines/_members.ts';
import {
  synchronousClients,
  type Authority,
  type Clients,
  type FrameKind,
  type Options,
  type Outbox,
  type Pipeline,
  type Relay,
  type SeizedDevice,
  type Setup,
  type World,
  type WrappedKeys,
} from '../pipelines/_pipeline.ts';
import { FATE, type Script } from '../workload/script.ts';
import type {
  Message,
  OpenedConnection,
  Passage,
  Recording,
  WireRecord,
  WrappedDataKey,
} from './evidence.ts';
import { KeyRotation, type PeriodKey } from './key-rotation.ts';
import { firstSessions } from './town-script.ts';

const ROOM_BYTES = 65_536;
const DAY_MS = 86_400_000;
/** Designs whose clients seal to one key of the authority. */
const SEALED_TO_ONE_KEY = ['E0', 'E2', 'E3', 'E6', 'E7'];

export interface TownPlan {
  readonly pipeline: Pipeline;
  readonly provider: Provider;
  readonly options: Options;
  readonly script: Script;
  readonly seed: number;
  /** The step after which devices are copied and secrets leak. */
  readonly seizedAfter: number;
  /** Sessions that open only after that. */
  readonly isLate: (session: number) => boolean;
  /** How far back the relay keeps frames that were fetched. */
  readonly retentionDays: number;
  /** How long the authority's key lasts; left out where it has one for all time. */
  readonly keyLifeMs?: number;
}

/** A town after its last message. */
export interface Town {
  readonly plan: TownPlan;
  readonly recording: Recording;
  readonly world: World;
  readonly clients: Clients;
  readonly relay: Relay;
  /** All devices after step `seizedAfter`, by user; empty where ends give up no state. */
  readonly seized: readonly SeizedDevice[];
  /** One-time prekeys of the bundle of each session, as they were before a handshake used them. */
  readonly prekeys: readonly Uint8Array[];
  /** The authority's device at that time, if it has one. */
  readonly seizedAuthority: SeizedDevice | undefined;
  /** Random bytes of the clients in the order in which they were drawn, and their ratchet keys. */
  readonly drawn: readonly Uint8Array[];
  /** What the devices made of each message: its length, or a negative outcome; by message. */
  readonly outcomes: Int32Array;
  /** The virtual time of the seizure. */
  readonly seizedAtMs: number;
  /** The authority's keys, one after the other; with `keyLifeMs` only. */
  readonly periodKeys: readonly PeriodKey[];
  /** Its first conversations, held again under a key that changes every day; where there is one key. */
  readonly rotated?: Town;
}

interface Emitted {
  readonly to: number;
  readonly kind: FrameKind;
  readonly bytes: Uint8Array;
}

/** Keeps the frames of one call. */
class Frames implements Outbox {
  list: Emitted[] = [];
  #reserved: Uint8Array = EMPTY;

  reserve(bytes: number): Uint8Array {
    this.#reserved = new Uint8Array(bytes);
    return this.#reserved;
  }

  emit(to: number, kind: FrameKind, length: number): void {
    this.list.push({ to, kind, bytes: this.#reserved.subarray(0, length) });
  }

  take(): Emitted[] {
    const { list } = this;
    this.list = [];
    return list;
  }
}

const ROTATED_SESSIONS = 10;

/** Opens the town, has its conversations held, and records them. */
export async function holdTown(plan: TownPlan): Promise<Town> {
  const town = await holdOnce(plan);
  if (!SEALED_TO_ONE_KEY.includes(plan.pipeline.rung)) return town;
  const script = firstSessions(plan.script, ROTATED_SESSIONS);
  return { ...town, rotated: await holdOnce({ ...plan, script, keyLifeMs: DAY_MS }) };
}

async function holdOnce(plan: TownPlan): Promise<Town> {
  const { pipeline, provider, options, script, seed, keyLifeMs = Infinity } = plan;
  const drawn: Uint8Array[] = [];
  const randomness = recordDraws(seededRandomness(seed, 1), drawn);
  const members = new PackedMembers(script.members);
  const { users } = script;
  const setup: Setup = { provider, randomness, users, members, options, seed };
  const rotation = Number.isFinite(keyLifeMs) ? new KeyRotation(keyLifeMs, seed) : undefined;
  const world = await pipeline.open(rotation === undefined ? setup : withRotation(setup, rotation));
  const wrappedKeys = new DataKeyTable();
  const relay = pipeline.openRelay({
    wrappedKeys,
    provider,
    randomness: seededRandomness(seed, 2),
    secret: world.relay,
    options,
  });
  return new Holding(plan, world, relay, wrappedKeys, members, drawn, rotation).hold();
}

function withRotation(setup: Setup, rotation: KeyRotation): EscrowSetup {
  return { ...setup, onAuthorityKey: rotation.onAuthorityKey.bind(rotation) };
}

/** Between the owner and the key id in the number of a data key: see src/pipelines/_rest-seal.ts. */
const OWNER_FACTOR = 0x400_0000;

/** The table of wrapped data keys in the relay's database. */
class DataKeyTable implements WrappedKeys {
  readonly epoch = 0;
  readonly #keys = new Map<number, Uint8Array>();

  get(id: number): Uint8Array | undefined {
    return this.#keys.get(id);
  }

  set(id: number, wrapped: Uint8Array): void {
    this.#keys.set(id, wrapped);
  }

  list(isScoped: boolean): WrappedDataKey[] {
    return [...this.#keys].map(([id, wrapped]) => ({
      owner: isScoped ? Math.floor(id / OWNER_FACTOR) : 0,
      keyId: isScoped ? id % OWNER_FACTOR : id,
      wrapped,
    }));
  }
}

function recordDraws(inner: Randomness, drawn: Uint8Array[]): Randomness {
  return {
    seeded: inner.seeded,
    fill(out) {
      inner.fill(out);
      drawn.push(out.slice());
    },
  };
}

/** Members of a session may speak once the first message has arrived. */
class Holding {
  readonly #plan: TownPlan;
  readonly #world: World;
  readonly #clients: Clients;
  readonly #relay: Relay;
  readonly #wrappedKeys: DataKeyTable;
  readonly #members: PackedMembers;
  readonly #drawn: Uint8Array[];
  readonly #rotation: KeyRotation | undefined;
  readonly #frames = new Frames();
  readonly #out = new Uint8Array(ROOM_BYTES);
  readonly #messages: Message[] = [];
  readonly #passages: Passage[] = [];
  readonly #wire: WireRecord[] = [];
  readonly #connections: OpenedConnection[] = [];
  readonly #bundles: Uint8Array[] = [];
  readonly #prekeys: Uint8Array[] = [];
  readonly #outcomes: Int32Array;
  /** Frames that wait for their receiver, by session, with the message after which they come. */
  readonly #waiting: { readonly passage: Passage; readonly due: number }[][];

  constructor(
    plan: TownPlan,
    world: World,
    relay: Relay,
    wrappedKeys: DataKeyTable,
    members: PackedMembers,
    drawn: Uint8Array[],
    rotation: KeyRotation | undefined,
  ) {
    this.#plan = plan;
    this.#world = world;
    this.#clients = synchronousClients(world.clients);
    this.#relay = relay;
    this.#wrappedKeys = wrappedKeys;
    this.#members = members;
    this.#drawn = drawn;
    this.#rotation = rotation;
    const { sessions, messages } = plan.script;
    this.#outcomes = new Int32Array(sessions * messages);
    this.#waiting = Array.from({ length: sessions }, () => []);
  }

  hold(): Town {
    const { script, seizedAfter, isLate } = this.#plan;
    const { sessions, messages, users } = script;
    for (let user = 0; user < users; user++) this.#connect(user);
    for (const connection of this.#world.senders ?? []) this.#connect(connection);
    for (let session = 0; session < sessions; session++) this.#publish(session);

    let seized: SeizedDevice[] = [];
    let seizedAuthority: SeizedDevice | undefined;
    const steps = seizedAfter + 1 + messages;
    for (let step = 0; step < steps; step++) {
      const atMs = step * script.stepMs;
      this.#rotation?.advance(atMs);
      for (let session = 0; session < sessions; session++) {
        const index = step - (isLate(session) ? seizedAfter + 1 : 0);
        if (index < 0 || index >= messages) continue;
        if (index === 0) this.#initiate(session, atMs);
        this.#send(session, index, step, atMs);
        this.#deliver(session, index === messages - 1 ? Infinity : index, step, atMs);
        this.#keepKeys(session);
      }
      if (step !== seizedAfter) continue;
      if (this.#clients.seize !== undefined) {
        seized = Array.from({ length: users }, (_, user) => this.#clients.seize!(user));
      }
      seizedAuthority = this.#seizeAuthority(step);
    }
    const relayPublicKey = new Uint8Array(32);
    const { provider, pipeline, options } = this.#plan;
    provider.ed25519Public(relayPublicKey, this.#world.relay.slice(0, 32));
    const { targets = sessions, evidence = 'message' } = this.#world;
    return {
      plan: this.#plan,
      world: this.#world,
      clients: this.#clients,
      relay: this.#relay,
      seized,
      seizedAuthority,
      prekeys: this.#prekeys,
      drawn: this.#drawn,
      outcomes: this.#outcomes,
      seizedAtMs: seizedAfter * script.stepMs,
      periodKeys: this.#rotation?.keys ?? [],
      recording: {
        facts: {
          provider,
          pipeline,
          options,
          members: this.#members,
          users,
          directory: this.#world.directory,
          bundles: this.#bundles,
          relayPublicKey,
          targets,
          evidenceKind: evidence,
          standsAlone: this.#world.standsAlone ?? false,
          answersLate: this.#world.answersLate ?? false,
        },
        messages: this.#messages,
        passages: this.#passages,
        wire: this.#wire,
        connections: this.#connections,
        dataKeys: this.#wrappedKeys.list(this.#plan.options['rest'] === 'user-day'),
      },
    };
  }

  #connect(connection: number): void {
    const flights: Uint8Array[] = [];
    let reply: Uint8Array = EMPTY;
    for (;;) {
      const flight = this.#written((out) => this.#clients.connect(connection, reply, 0, out));
      if (flight.length === 0) break;
      reply = this.#written((out) => this.#relay.connect(connection, flight, 0, out));
      flights.push(flight);
      if (reply.length === 0) break;
      flights.push(reply);
    }
    if (flights.length > 0) this.#connections.push({ connection, flights });
  }

  /** All bundles lie in the directory from the start, as stocks of prekeys do. */
  #publish(session: number): void {
    const user = this.#members.user(session, 1);
    this.#clients.publish(user, 0, this.#frames);
    this.#bundles[session] = this.#frames.take()[0]?.bytes ?? EMPTY;
    this.#prekeys[session] = this.#clients.seize?.(user).prekeys.at(-1)?.secrets ?? EMPTY;
  }

  #initiate(session: number, atMs: number): void {
    const outcome = this.#clients.initiate(session, 0, this.#bundles[session]!, atMs);
    if (outcome !== 0) throw new RangeError(`"bundle" expected one that is taken, got ${outcome}`);
  }

  #send(session: number, index: number, step: number, atMs: number): void {
    const { script, seed } = this.#plan;
    const id = session * script.messages + index;
    const sender = script.speakers[id]!;
    const plaintext = new Uint8Array(script.lengths[id]!);
    new SeededRandom(seed, session, index).fill(plaintext);
    this.#messages[id] = { id, session, sender, index, atMs, step, plaintext };
    this.#clients.send(session, sender, plaintext, atMs, this.#frames);
    const user = this.#members.user(session, sender);
    const from = this.#world.senders?.[user] ?? user;
    for (const { to, kind, bytes } of this.#frames.take()) {
      const stored = this.#written((out) => this.#relay.accept(from, to, bytes, atMs, out));
      const content = this.#written((out) => this.#relay.handOver(to, stored, out));
      const passage: Passage = {
        message: id,
        kind,
        session,
        sender,
        from,
        to,
        atMs,
        step,
        uplink: bytes,
        stored,
        content,
        downlink: undefined,
        fetchedAt: Infinity,
      };
      this.#passages.push(passage);
      this.#wire.push({ passage, connection: from, direction: 'up' });
      if (kind !== 'message' || script.fates[id] === FATE.lost) continue;
      this.#waiting[session]!.push({ passage, due: index + script.delays[id]! });
    }
    this.#clients.acknowledge?.(session, sender);
  }

  /** Fetches and receives what is due after message `index` of the session. */
  #deliver(session: number, index: number, step: number, atMs: number): void {
    const waiting = this.#waiting[session]!;
    const due = waiting.filter((one) => one.due <= index).sort((a, b) => a.due - b.due);
    this.#waiting[session] = waiting.filter((one) => one.due > index);
    for (const { passage } of due) {
      const { message, to, stored, sender } = passage;
      const downlink = this.#written((out) => this.#relay.deliver(to, stored, atMs, out));
      passage.downlink = downlink;
      passage.fetchedAt = step;
      this.#wire.push({ passage, connection: to, direction: 'down' });
      const out = this.#out;
      const length = this.#clients.receive(session, 1 - sender, downlink, atMs, out);
      const { plaintext } = this.#messages[message]!;
      this.#outcomes[message] = length;
      if (length >= 0 && !equalBytes(out.subarray(0, length), plaintext)) {
        throw new RangeError(`"message" expected as it was sent, got another, in ${message}`);
      }
    }
  }

  /** Ratchet keys that follow from a seed are drawn nowhere. */
  #keepKeys(session: number): void {
    if (this.#plan.pipeline.name !== 'escrow-seed') return;
    for (let member = 0; member < 2; member++) {
      this.#drawn.push(this.#clients.keys(this.#members.user(session, member)).slice());
    }
  }

  /** Shows the authority all that it was given so far, and copies its device. */
  #seizeAuthority(step: number): SeizedDevice | undefined {
    const { provider, pipeline, options } = this.#plan;
    const { authority: secrets, directory, targets = Infinity } = this.#world;
    if (secrets === undefined || pipeline.openAuthority === undefined) return undefined;
    const members = this.#members;
    const authority: Authority = pipeline.openAuthority({
      provider,
      secrets,
      directory,
      members,
      options,
    });
    if (authority.seize === undefined) return undefined;
    for (const { kind, session, sender, content, step: sentAt } of this.#passages) {
      if (kind !== this.#world.evidence || session >= targets || sentAt > step) continue;
      authority.recover(session, sender, content, this.#out);
    }
    return authority.seize();
  }

  #written(write: (out: Uint8Array) => number): Uint8Array {
    const length = write(this.#out);
    if (length < 0) throw new RangeError(`"frame" expected one that is taken, got ${length}`);
    return this.#out.slice(0, length);
  }
}
