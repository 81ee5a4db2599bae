/**
 * A stage for adversaries who take part: the two ends of conversations alone, without hops and seals
 * that the provider holds anyway, so that frames can be withheld, changed and made up.
 *
 * @module
 */

import { EMPTY } from '../core/bytes.ts';
import type { Provider } from '../crypto/provider.ts';
import { seededRandomness } from '../crypto/randomness.ts';
import { PackedMembers } from '../pipelines/_members.ts';
import {
  synchronousClients,
  type Authority,
  type Clients,
  type FrameKind,
  type Options,
  type Outbox,
  type Pipeline,
  type World,
} from '../pipelines/_pipeline.ts';
import { readWithAuthority } from './authority-reader.ts';
import type { PublicFacts } from './evidence.ts';
import type { TownPlan } from './town.ts';

const ROOM_BYTES = 65_536;

/** What one call of `send` emitted. */
export interface Sent {
  readonly session: number;
  readonly member: number;
  readonly text: Uint8Array;
  /** For the receiver. */
  readonly frame: Uint8Array;
  /** For the authority, where it has a mailbox of its own. */
  readonly copy: Uint8Array | undefined;
}

/** Keeps the frames of one call, by kind. */
class Kept implements Outbox {
  readonly frames: { readonly kind: FrameKind; readonly bytes: Uint8Array }[] = [];
  #reserved: Uint8Array = EMPTY;

  reserve(bytes: number): Uint8Array {
    this.#reserved = new Uint8Array(bytes);
    return this.#reserved;
  }

  emit(_to: number, kind: FrameKind, length: number): void {
    this.frames.push({ kind, bytes: this.#reserved.subarray(0, length) });
  }

  first(kind: FrameKind): Uint8Array | undefined {
    return this.frames.find((frame) => frame.kind === kind)?.bytes;
  }
}

export class Stage {
  readonly provider: Provider;
  readonly pipeline: Pipeline;
  readonly options: Options;
  readonly members: PackedMembers;
  readonly world: World;
  readonly clients: Clients;
  readonly bundles: readonly Uint8Array[];

  private constructor(
    { provider }: TownPlan,
    pipeline: Pipeline,
    options: Options,
    members: PackedMembers,
    world: World,
    bundles: readonly Uint8Array[],
  ) {
    this.provider = provider;
    this.pipeline = pipeline;
    this.options = options;
    this.members = members;
    this.world = world;
    this.clients = synchronousClients(world.clients);
    this.bundles = bundles;
  }

  /** Opens all sessions of `members` at the end of their member 0. */
  static async open(
    plan: TownPlan,
    members: PackedMembers,
    users: number,
    pipeline: Pipeline = plan.pipeline,
  ): Promise<Stage> {
    const { provider, seed } = plan;
    const options = bare(plan);
    const randomness = seededRandomness(seed, 3);
    const world = await pipeline.open({ provider, randomness, users, members, options, seed });
    const clients = synchronousClients(world.clients);
    const bundles: Uint8Array[] = [];
    for (let session = 0; session < members.sessions; session++) {
      const kept = new Kept();
      clients.publish(members.user(session, 1), 0, kept);
      bundles.push(kept.first('bundle') ?? EMPTY);
      const outcome = clients.initiate(session, 0, bundles[session]!, 0);
      if (outcome !== 0) throw new RangeError(`"bundle" expected one that is taken: ${outcome}`);
    }
    return new Stage(plan, pipeline, options, members, world, bundles);
  }

  send(session: number, member: number, text: Uint8Array): Sent {
    const kept = new Kept();
    this.clients.send(session, member, text, 0, kept);
    this.clients.acknowledge?.(session, member);
    return {
      session,
      member,
      text,
      frame: kept.first('message')!,
      copy: kept.first('escrow'),
    };
  }

  /** What the device of `member` makes of a frame: the text, or a negative outcome. */
  receive(session: number, member: number, frame: Uint8Array): Uint8Array | number {
    const out = new Uint8Array(ROOM_BYTES);
    const length = this.clients.receive(session, member, frame.slice(), 0, out);
    return length < 0 ? length : out.slice(0, length);
  }

  openAuthority(provider: Provider = this.provider): Authority | undefined {
    const { pipeline, world, options, members } = this;
    return pipeline.openAuthority?.({
      provider,
      secrets: world.authority ?? [],
      directory: world.directory,
      members,
      options,
    });
  }

  /** What the authority makes of what was sent, by its place in the list. */
  readAll(sent: readonly Sent[]): Map<number, Uint8Array> {
    const authority = this.openAuthority();
    if (authority === undefined) return new Map();
    const { evidence = 'message', answersLate = false } = this.world;
    const frames = sent.flatMap(({ session, member, frame, copy }, message) => {
      const bytes = evidence === 'escrow' ? copy : frame;
      return bytes === undefined
        ? []
        : [{ message, kind: evidence, session, sender: member, from: 0, to: 0, atMs: 0, bytes }];
    });
    const facts = { evidenceKind: evidence, answersLate } as PublicFacts;
    return readWithAuthority(facts, authority, frames);
  }
}

/** Without hops and without a seal at rest. */
export function bare({ options }: TownPlan): Options {
  return { ...options, hop: 'none', rest: 'none' };
}

/** In how many conversations of each town ends run modified clients: E4 takes 4 ms a message to read. */
export function conversationsOf({ pipeline }: TownPlan): number {
  return pipeline.rung === 'E4' ? 1 : 4;
}

/** The users of the town's first sessions, in pairs that no other pair shares a user with. */
export function pairs(count: number): PackedMembers {
  return new PackedMembers(Uint32Array.from({ length: count * 2 }, (_, user) => user));
}
