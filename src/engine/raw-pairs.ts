/**
 * A pipeline's send and receive against the bare calls of the library beneath, in pairs in one
 * process: A B, then B A, and so on.
 *
 * @module
 */

import { requireSynchronous } from './async-client-loops.ts';
import { EngineOutbox, Outputs, Sends } from './batch.ts';
import { Payload } from './payload.ts';
import type { ShardParts } from './live-world.ts';
import { countPrimitives } from '../crypto/counting.ts';
import type { Provider } from '../crypto/provider.ts';
import { providerRandomness } from '../crypto/randomness.ts';
import { readThreadCpuNs } from '../measure/cpu.ts';
import { PackedMembers } from '../pipelines/_members.ts';
import type { Clients, Options } from '../pipelines/_pipeline.ts';

const SESSIONS = 500;
const MESSAGE_BYTES = 115;
/** Messages of each session before anything is compared. */
const WARMUP_ROUNDS = 20;

/** CPU of both sides in ns per message, one entry per pair. */
export interface Pairs {
  readonly oursNs: number[];
  readonly rawNs: number[];
  /** What the raw side called for one message. */
  readonly calls: Readonly<Record<string, number>>;
}

/** @param pairs How many; the first side alternates. */
export function samplePairs(
  pairs: number,
  ours: () => void,
  raw: () => void,
  perSide: number,
): Pick<Pairs, 'oursNs' | 'rawNs'> {
  const cost = (side: () => void): number => {
    const before = readThreadCpuNs();
    side();
    return (readThreadCpuNs() - before) / perSide;
  };
  const oursNs: number[] = [];
  const rawNs: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    if (pair % 2 === 0) oursNs.push(cost(ours));
    rawNs.push(cost(raw));
    if (pair % 2 === 1) oursNs.push(cost(ours));
  }
  return { oursNs, rawNs };
}

/**
 * One-way messages of 115 B, hops and store left out, so that only the two ends are compared.
 *
 * @param rawCall The library's call for a counted name, see src/crypto/counting.ts.
 */
export async function sampleMessagePairs(
  parts: ShardParts,
  rawCall: (counted: string) => (() => void) | undefined,
  pairs: number,
): Promise<Pairs> {
  const calls = await countOneMessage(parts);
  const sequence = Object.entries(calls).flatMap(([name, count]) => {
    const call = rawCall(name);
    return call === undefined ? [] : Array.from({ length: count }, () => call);
  });
  const raw = (): void => {
    for (let message = 0; message < SESSIONS; message++) for (const call of sequence) call();
  };
  const talk = await OneWay.open(parts, parts.provider);
  const ours = (): void => talk.round();
  for (let round = 0; round < WARMUP_ROUNDS; round++) {
    ours();
    raw();
  }
  const sampled = samplePairs(pairs, ours, raw, SESSIONS);
  return { ...sampled, calls };
}

async function countOneMessage(parts: ShardParts): Promise<Record<string, number>> {
  const { provider, counts } = countPrimitives(parts.provider);
  const talk = await OneWay.open(parts, provider);
  talk.round();
  counts.clear();
  talk.round();
  return Object.fromEntries([...counts].map(([name, count]) => [name, count / SESSIONS]));
}

/** Sessions in which member 0 sends and member 1 receives, nothing in between. */
class OneWay {
  readonly #clients: Clients;
  readonly #outbox = new EngineOutbox();
  readonly #sends = new Sends(SESSIONS);
  readonly #received = new Outputs(SESSIONS);

  constructor(clients: Clients) {
    this.#clients = clients;
    const payload = new Payload(1, MESSAGE_BYTES);
    for (let i = 0; i < SESSIONS; i++) {
      this.#sends.plaintexts[i] = payload.plaintext(i, 0, MESSAGE_BYTES);
      this.#received.add(MESSAGE_BYTES * 4);
    }
  }

  static async open({ pipeline }: ShardParts, provider: Provider): Promise<OneWay> {
    const options: Options = {
      ...Object.fromEntries(
        Object.entries(pipeline.options).map(([name, option]) => [name, option.default]),
      ),
      hop: 'none',
      rest: 'none',
    };
    const members = new PackedMembers(
      Uint32Array.from({ length: SESSIONS * 2 }, (_, i) => (i % 2 === 0 ? 0 : 1)),
    );
    const world = await pipeline.open({
      provider,
      randomness: providerRandomness(provider),
      users: 2,
      members,
      options,
      seed: 1,
    });
    const clients = requireSynchronous(world.clients);
    const outbox = new EngineOutbox();
    for (let session = 0; session < SESSIONS; session++) {
      outbox.clear();
      clients.publish(1, 0, outbox);
      clients.initiate(session, 0, outbox.frames[0]!, 0);
    }
    return new OneWay(clients);
  }

  /** One message in each session. @throws Error when one does not arrive. */
  round(): void {
    const clients = this.#clients;
    const outbox = this.#outbox;
    const { plaintexts } = this.#sends;
    const { buffers, lengths } = this.#received;
    outbox.clear();
    for (let i = 0; i < SESSIONS; i++) {
      outbox.message = i;
      clients.send(i, 0, plaintexts[i]!, 0, outbox);
    }
    for (let i = 0; i < SESSIONS; i++) {
      lengths[i] = clients.receive(i, 1, outbox.frames[i]!, 0, buffers[i]!);
    }
    for (let i = 0; i < SESSIONS; i++) {
      if (lengths[i] !== MESSAGE_BYTES) throw new Error(`message ${i} did not arrive`);
    }
  }
}
