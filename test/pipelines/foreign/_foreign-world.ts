/**
 * A few sessions of a pipeline whose ends a library computes, moved by hand. Calls are awaited whether
 * the library is asynchronous or not, and everything that is handed over is overwritten afterwards.
 *
 * @module
 */

import assert from 'node:assert/strict';
import { EMPTY } from '../../../src/core/bytes.ts';
import { loadByName } from '../../../src/core/discover.ts';
import { HarnessError } from '../../../src/core/errors.ts';
import { PIPELINES_DIR } from '../../../src/core/paths.ts';
import { seededRandomness } from '../../../src/crypto/randomness.ts';
import { PackedMembers } from '../../../src/pipelines/_members.ts';
import type {
  AsyncClients,
  Clients,
  Options,
  Outbox,
  Pipeline,
  World,
} from '../../../src/pipelines/_pipeline.ts';
import { loadProvider, optionsOf } from '../../conformance/_parts.ts';

const ROOM_BYTES = 16_384;

export async function loadForeign(name: string): Promise<Pipeline> {
  return loadByName<Pipeline>(PIPELINES_DIR, name, 'pipeline');
}

export class ForeignWorld {
  readonly world: World;
  readonly members: PackedMembers;
  readonly #clients: Clients | AsyncClients;

  private constructor(world: World, members: PackedMembers) {
    this.world = world;
    this.members = members;
    this.#clients = world.clients;
  }

  /**
   * Every session is between user 0 (member 0) and user 1; none is open.
   *
   * @returns Undefined where the library is not installed.
   */
  static async open(
    pipeline: Pipeline,
    sessions = 1,
    changes: Options = {},
  ): Promise<ForeignWorld | undefined> {
    const members = new PackedMembers(Uint32Array.from({ length: sessions * 2 }, (_, i) => i % 2));
    const provider = await loadProvider('node');
    const randomness = seededRandomness(1);
    const options = optionsOf(pipeline, changes);
    const setup = { provider, randomness, users: 2, members, options, seed: 1 };
    try {
      return new ForeignWorld(await pipeline.open(setup), members);
    } catch (error) {
      if (error instanceof HarnessError && error.code === 'UNAVAILABLE') return undefined;
      throw error;
    }
  }

  async publish(user: number, atMs = 0): Promise<Uint8Array> {
    const bundles: Uint8Array[] = [];
    await this.#clients.publish(user, atMs, outboxInto(bundles));
    assert.equal(bundles.length, 1, 'bundles');
    return bundles[0]!;
  }

  async initiate(session: number, member: number, bundle: Uint8Array): Promise<number> {
    const given = bundle.slice();
    const outcome = await this.#clients.initiate(session, member, given, 0);
    given.fill(0xa5);
    return outcome;
  }

  /** Opens a session at member 0. */
  async begin(session = 0): Promise<void> {
    const bundle = await this.publish(this.members.user(session, 1));
    assert.equal(await this.initiate(session, 0, bundle), 0);
  }

  /** @returns The one frame that carries `plaintext`. */
  async send(session: number, member: number, plaintext: Uint8Array): Promise<Uint8Array> {
    const frames: Uint8Array[] = [];
    const given = inTheMiddle(plaintext);
    await this.#clients.send(session, member, given, 0, outboxInto(frames));
    given.fill(0xa5);
    assert.equal(frames.length, 1, 'frames of one message');
    return frames[0]!;
  }

  /** @returns The plaintext, or a negative outcome. */
  async receive(session: number, member: number, frame: Uint8Array): Promise<Uint8Array | number> {
    const out = new Uint8Array(ROOM_BYTES);
    const given = inTheMiddle(frame);
    const length = await this.#clients.receive(session, member, given, 0, out);
    given.fill(0xa5);
    return length < 0 ? length : out.slice(0, length);
  }

  /** One message that must arrive. */
  async exchange(session: number, member: number, plaintext: Uint8Array): Promise<void> {
    const frame = await this.send(session, member, plaintext);
    assert.deepEqual(await this.receive(session, 1 - member, frame), plaintext);
  }
}

/** A copy that is a view into something longer, as the engine's buffers are. */
function inTheMiddle(bytes: Uint8Array): Uint8Array {
  const longer = new Uint8Array(bytes.length + 20).fill(0x77);
  longer.set(bytes, 10);
  return longer.subarray(10, 10 + bytes.length);
}

function outboxInto(frames: Uint8Array[]): Outbox {
  let reserved = EMPTY;
  return {
    reserve(bytes) {
      reserved = inTheMiddle(new Uint8Array(bytes));
      return reserved;
    },
    emit(_toUser, _kind, length) {
      frames.push(reserved.slice(0, length));
    },
  };
}
