/**
 * What an escrow design adds to a sender's message, against the bare calls of the library beneath that
 * it cannot do without: the same pipeline with and without the field, and those calls, in one process.
 *
 * @module
 */

import { requireSynchronous } from './async-client-loops.ts';
import { EngineOutbox } from './batch.ts';
import { Payload } from './payload.ts';
import type { Pairs } from './raw-pairs.ts';
import { countPrimitives } from '../crypto/counting.ts';
import type { Provider } from '../crypto/provider.ts';
import { providerRandomness } from '../crypto/randomness.ts';
import { readThreadCpuNs } from '../measure/cpu.ts';
import { PackedMembers } from '../pipelines/_members.ts';
import type { Clients, Options, Pipeline } from '../pipelines/_pipeline.ts';

const SESSIONS = 500;
/** Where calls are counted: all sessions make the same. */
const COUNTED_SESSIONS = 2;
const MESSAGE_BYTES = 115;
/** Messages of each session before anything is compared. */
const WARMUP_ROUNDS = 20;

/** A pipeline with options in place of its defaults; hops and store are left out. */
export interface Sender {
  readonly pipeline: Pipeline;
  readonly options: Options;
}

/**
 * One-way messages of 115 B on chains that have begun, so that what is paid once per chain is not in
 * it.
 *
 * @param rawCall The library's call for a counted name, see src/crypto/counting.ts.
 * @returns `oursNs`: what a message costs its sender with the field, less what it costs without;
 *   `rawNs`: the primitives that the field adds, called by themselves; `calls`: these.
 */
export async function sampleFieldPairs(
  provider: Provider,
  escrowed: Sender,
  plain: Sender,
  rawCall: (counted: string) => (() => void) | undefined,
  pairs: number,
): Promise<Pairs> {
  const calls = await countAdded(provider, escrowed, plain);
  const sequence = Object.entries(calls).flatMap(([name, count]) => {
    const call = rawCall(name);
    return call === undefined ? [] : Array.from({ length: count }, () => call);
  });
  const raw = (): void => {
    for (let message = 0; message < SESSIONS; message++) for (const call of sequence) call();
  };
  const with_ = await Sending.open(escrowed, provider, SESSIONS);
  const without = await Sending.open(plain, provider, SESSIONS);
  const sides = [() => with_.round(), () => without.round(), raw] as const;
  for (let round = 0; round < WARMUP_ROUNDS; round++) for (const side of sides) side();
  const oursNs: number[] = [];
  const rawNs: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    // Forwards, then backwards: a machine that becomes slower does so for no side more.
    const order = pair % 2 === 0 ? [0, 1, 2] : [2, 1, 0];
    const costs = [0, 0, 0];
    for (const side of order) {
      const before = readThreadCpuNs();
      sides[side]!();
      costs[side] = (readThreadCpuNs() - before) / SESSIONS;
    }
    oursNs.push(costs[0]! - costs[1]!);
    rawNs.push(costs[2]!);
  }
  return { oursNs, rawNs, calls };
}

/** The calls of one message that are there with the field and not without. */
async function countAdded(
  provider: Provider,
  escrowed: Sender,
  plain: Sender,
): Promise<Record<string, number>> {
  const [with_, without] = [await countOne(provider, escrowed), await countOne(provider, plain)];
  const added: Record<string, number> = {};
  for (const [name, count] of with_) {
    const more = count - (without.get(name) ?? 0);
    if (more > 0) added[name] = more;
  }
  // The message's own seal covers the field, so its name differs: the longer one goes.
  const seals = Object.keys(added).filter((name) => name.includes('-seal:'));
  for (const name of seals) if (name.endsWith(`+${MESSAGE_BYTES}`)) delete added[name];
  return added;
}

async function countOne(inner: Provider, sender: Sender): Promise<Map<string, number>> {
  const { provider, counts } = countPrimitives(inner);
  const sending = await Sending.open(sender, provider, COUNTED_SESSIONS);
  sending.round();
  counts.clear();
  sending.round();
  return new Map([...counts].map(([name, count]) => [name, count / COUNTED_SESSIONS]));
}

/** Sessions that were answered once, in which member 0 goes on sending. Nobody receives that. */
class Sending {
  readonly #clients: Clients;
  readonly #outbox = new EngineOutbox();
  readonly #plaintexts: readonly Uint8Array[];

  constructor(clients: Clients, sessions: number) {
    this.#clients = clients;
    const payload = new Payload(1, MESSAGE_BYTES);
    this.#plaintexts = Array.from({ length: sessions }, (_, i) =>
      payload.plaintext(i, 0, MESSAGE_BYTES),
    );
  }

  static async open(
    { pipeline, options: given }: Sender,
    provider: Provider,
    sessions: number,
  ): Promise<Sending> {
    const defaults = Object.entries(pipeline.options).map(([name, option]) => [
      name,
      option.default,
    ]);
    const options: Options = {
      ...Object.fromEntries(defaults),
      hop: 'none',
      rest: 'none',
      ...given,
    };
    const members = new PackedMembers(
      Uint32Array.from({ length: sessions * 2 }, (_, i) => (i % 2 === 0 ? 0 : 1)),
    );
    const randomness = providerRandomness(provider);
    const setup = { provider, randomness, users: 2, members, options, seed: 1 };
    const clients = requireSynchronous((await pipeline.open(setup)).clients);
    const outbox = new EngineOutbox();
    for (let session = 0; session < sessions; session++) {
      outbox.clear();
      clients.publish(1, 0, outbox);
      clients.initiate(session, 0, outbox.frames[0]!, 0);
      for (const member of [0, 1]) answer(clients, session, member, outbox);
    }
    return new Sending(clients, sessions);
  }

  /** One message in each session. */
  round(): void {
    const clients = this.#clients;
    const outbox = this.#outbox;
    const plaintexts = this.#plaintexts;
    outbox.clear();
    for (let i = 0; i < plaintexts.length; i++) clients.send(i, 0, plaintexts[i]!, 0, outbox);
  }
}

/** One message that arrives. @throws Error when it does not. */
function answer(clients: Clients, session: number, member: number, outbox: EngineOutbox): void {
  const plaintext = new Uint8Array(MESSAGE_BYTES);
  const received = new Uint8Array(MESSAGE_BYTES * 4);
  outbox.clear();
  clients.send(session, member, plaintext, 0, outbox);
  const length = clients.receive(session, 1 - member, outbox.frames[0]!, 0, received);
  if (length !== MESSAGE_BYTES) throw new Error(`the first message ${member} did not arrive`);
}
