/**
 * A small world in which attacks are mounted: its users talk through a relay, and what passes each
 * vantage point is recorded.
 */

import assert from 'node:assert/strict';
import { EMPTY, utf8 } from '../../src/core/bytes.ts';
import { loadByName } from '../../src/core/discover.ts';
import { PIPELINES_DIR, PROVIDERS_DIR } from '../../src/core/paths.ts';
import type { Provider, ProviderModule } from '../../src/crypto/provider.ts';
import { seededRandomness, type Randomness } from '../../src/crypto/randomness.ts';
import { PackedMembers } from '../../src/pipelines/_members.ts';
import {
  synchronousClients,
  type Clients,
  type Options,
  type Outbox,
  type Pipeline,
  type Relay,
  type World,
} from '../../src/pipelines/_pipeline.ts';

const ROOM_BYTES = 16_384;

/** One message, as it was at each place on its way. */
export interface Recorded {
  readonly session: number;
  /** The member who sent it. */
  readonly member: number;
  readonly text: string;
  /** From the sender to the relay. */
  readonly uplink: Uint8Array;
  /** In the relay's database. */
  readonly stored: Uint8Array;
  /** The same with the provider's own seals opened. */
  readonly content: Uint8Array;
  /** From the relay to the receiver. */
  readonly downlink: Uint8Array;
}

/** Keeps the frames of one call. */
class Frames implements Outbox {
  readonly list: Uint8Array[] = [];
  #reserved: Uint8Array = EMPTY;

  reserve(bytes: number): Uint8Array {
    this.#reserved = new Uint8Array(bytes);
    return this.#reserved;
  }

  emit(_toUser: number, _kind: string, length: number): void {
    this.list.push(this.#reserved.subarray(0, length));
  }
}

export interface Mounting {
  /** Two users per session; member 0 opens it. */
  readonly sessions: readonly (readonly [number, number])[];
  readonly provider?: string;
  /** In place of the pipeline's defaults. */
  readonly options?: Readonly<Record<string, string>>;
}

/** Opens a world with seeded randomness, connects its users and initiates its sessions. */
export async function mount(name: string, mounting: Mounting): Promise<MountedWorld> {
  const pipeline = await loadByName<Pipeline>(PIPELINES_DIR, name, 'pipeline');
  const module = await loadByName<ProviderModule>(
    PROVIDERS_DIR,
    mounting.provider ?? 'node',
    'provider',
  );
  const provider = await module.load(pipeline.needs);
  const options: Record<string, string> = {};
  for (const [option, spec] of Object.entries(pipeline.options)) options[option] = spec.default;
  Object.assign(options, mounting.options);
  const members = new PackedMembers(Uint32Array.from(mounting.sessions.flat()));
  const drawn: Uint8Array[] = [];
  const users = Math.max(...members.users) + 1;
  const randomness = recordDraws(seededRandomness(11, 1), drawn);
  const world = await pipeline.open({ provider, randomness, users, members, options, seed: 11 });
  const relay = pipeline.openRelay({
    provider,
    randomness: seededRandomness(11, 2),
    secret: world.relay,
    options,
  });
  const mounted = new MountedWorld(pipeline, provider, options, world, relay, members, drawn);
  for (let user = 0; user < users; user++) mounted.connect(user);
  for (let session = 0; session < members.sessions; session++) mounted.initiate(session);
  return mounted;
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

export class MountedWorld {
  readonly pipeline: Pipeline;
  readonly provider: Provider;
  readonly options: Options;
  readonly directory: Uint8Array;
  /** The secrets of the authority, one item per trustee; none without an authority. */
  readonly authority: readonly Uint8Array[];
  readonly clients: Clients;
  readonly relay: Relay;
  readonly members: PackedMembers;
  readonly recording: Recorded[] = [];
  /** What the directory handed out for each session, in order; empty where there is nothing. */
  readonly bundles: Uint8Array[] = [];
  /** All random bytes that the clients drew: no attacker holds them. */
  readonly drawn: readonly Uint8Array[];

  constructor(
    pipeline: Pipeline,
    provider: Provider,
    options: Options,
    world: World,
    relay: Relay,
    members: PackedMembers,
    drawn: readonly Uint8Array[],
  ) {
    this.pipeline = pipeline;
    this.provider = provider;
    this.options = options;
    this.directory = world.directory;
    this.authority = world.authority ?? [];
    this.clients = synchronousClients(world.clients);
    this.relay = relay;
    this.members = members;
    this.drawn = drawn;
  }

  connect(user: number): void {
    let reply: Uint8Array = EMPTY;
    for (;;) {
      const flight = written((out) => this.clients.connect(user, reply, 0, out));
      if (flight.length === 0) return;
      reply = written((out) => this.relay.connect(user, flight, 0, out));
      if (reply.length === 0) return;
    }
  }

  initiate(session: number): void {
    const bundles = new Frames();
    this.clients.publish(this.members.user(session, 1), 0, bundles);
    const bundle = bundles.list[0] ?? EMPTY;
    this.bundles[session] = bundle;
    assert.equal(this.clients.initiate(session, 0, bundle, 0), 0);
  }

  /** Sends `text` and has the relay store it. */
  post(session: number, member: number, text: string): Omit<Recorded, 'downlink'> {
    const frames = new Frames();
    this.clients.send(session, member, utf8(text), 0, frames);
    const uplink = frames.list[0]!;
    const from = this.members.user(session, member);
    const to = this.members.user(session, 1 - member);
    const stored = written((out) => this.relay.accept(from, to, uplink, 0, out));
    const content = written((out) => this.relay.handOver(to, stored, out));
    return { session, member, text, uplink, stored, content };
  }

  /** What the relay sends when the receiver of a posted message fetches it. */
  fetch(posted: Omit<Recorded, 'downlink'>): Uint8Array {
    const to = this.members.user(posted.session, 1 - posted.member);
    return written((out) => this.relay.deliver(to, posted.stored, 0, out));
  }

  /** What the device of `member` makes of a frame: the text, or a negative outcome. */
  receive(session: number, member: number, frame: Uint8Array): string | number {
    const out = new Uint8Array(ROOM_BYTES);
    const length = this.clients.receive(session, member, frame, 0, out);
    return length < 0 ? length : new TextDecoder().decode(out.subarray(0, length));
  }

  /** Sends, stores, fetches and receives `text`, and records it. */
  say(session: number, member: number, text: string): Recorded {
    const posted = this.post(session, member, text);
    const downlink = this.fetch(posted);
    assert.equal(this.receive(session, 1 - member, downlink), text);
    const recorded = { ...posted, downlink };
    this.recording.push(recorded);
    return recorded;
  }

  /** Both members of `session` in turn send `burst` messages each, `turns` times. */
  chat(session: number, turns: number, burst: number, firstMember = 0): Recorded[] {
    const said: Recorded[] = [];
    for (let turn = 0; turn < turns; turn++) {
      const member = (firstMember + turn) % 2;
      for (let i = 0; i < burst; i++) {
        said.push(this.say(session, member, `words ${this.recording.length} of member ${member}`));
      }
    }
    return said;
  }
}

/** Calls `write` with room and returns a copy of what it wrote. */
function written(write: (out: Uint8Array) => number): Uint8Array {
  const out = new Uint8Array(ROOM_BYTES);
  const length = write(out);
  assert.ok(length >= 0, `expected a length, got outcome ${length}`);
  return out.slice(0, length);
}
