/**
 * What the harness itself adds to a stage call: the engine's loops against the same calls in a plain
 * `for`, on a pipeline and a provider that do next to nothing.
 *
 * Both sides run in pairs, in turn first and second, in one process.
 *
 * @module
 */

import { EngineOutbox, Outputs, Sends, type Deliveries } from './batch.ts';
import { Payload } from './payload.ts';
import { requireSynchronous } from './async-client-loops.ts';
import { ClientLoops } from './client-loops.ts';
import { ProviderLoops } from './provider-loops.ts';
import type { StageRecorder } from './stage-readings.ts';
import type { ShardParts } from './live-world.ts';
import { providerRandomness } from '../crypto/randomness.ts';
import { calibrateClock, nowNs } from '../measure/clock.ts';
import { readThreadCpuNs } from '../measure/cpu.ts';
import type { TimedId } from '../measure/facts.ts';
import { PackedMembers } from '../pipelines/_members.ts';
import type { Clients, Options, Relay } from '../pipelines/_pipeline.ts';

const CALLS = 4096;
const PAIRS = 40;
const WARMUP_PAIRS = 20;
const MESSAGE_BYTES = 28;
const ROOM_BYTES = 64;

/** Differences per call in ns, one per pair; the engine's minus the plain loop's. */
export interface OverheadSamples {
  readonly clockReadNs: number;
  readonly stages: readonly {
    readonly id: 'send' | 'relay-store' | 'relay-fetch' | 'receive';
    /** Engine in CPU mode minus plain loop, both by thread CPU. */
    readonly cpuNs: readonly number[];
    /** Engine's recorded latency minus plain loop, both by wall clock. */
    readonly latencyNs: readonly number[];
    /** The plain loop by thread CPU: what a call costs that does next to nothing. */
    readonly emptyNs: readonly number[];
  }[];
}

/** Keeps the last reading, in ns per call. */
class LastReading implements StageRecorder {
  mode: 'cpu' | 'latency' = 'cpu';
  perCallNs = 0;

  readCpuNs(): number {
    return readThreadCpuNs();
  }

  addCpu(_id: TimedId, calls: number, cpuNs: number): void {
    this.perCallNs = cpuNs / calls;
  }

  addLatencies(_id: TimedId, latenciesNs: Float64Array, count: number): void {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += latenciesNs[i]!;
    this.perCallNs = sum / count;
  }
}

/** @param parts The pipeline `plaintext` over the provider `null`. */
export async function sampleOverhead(parts: ShardParts): Promise<OverheadSamples> {
  const { pipeline, provider } = parts;
  const users = new Uint32Array(CALLS * 2).map((_, i) => i);
  const members = new PackedMembers(users);
  const options: Options = Object.fromEntries(
    Object.entries(pipeline.options).map(([name, option]) => [name, option.default]),
  );
  const randomness = providerRandomness(provider);
  const world = await pipeline.open({
    provider,
    randomness,
    users: users.length,
    members,
    options,
    seed: 1,
  });
  const relay = pipeline.openRelay({ provider, randomness, secret: world.relay, options });
  const recorder = new LastReading();
  const bench = new Bench(requireSynchronous(world.clients), relay, members, recorder);
  const stages = (['send', 'relay-store', 'relay-fetch', 'receive'] as const).map((id) => {
    const cpuNs: number[] = [];
    const latencyNs: number[] = [];
    const emptyNs: number[] = [];
    for (let pair = -WARMUP_PAIRS; pair < PAIRS; pair++) {
      const cpu = bench.difference(id, 'cpu', pair % 2 === 0);
      const empty = bench.plainNs;
      const latency = bench.difference(id, 'latency', pair % 2 === 0);
      if (pair < 0) continue;
      cpuNs.push(cpu);
      latencyNs.push(latency);
      emptyNs.push(empty);
    }
    return { id, cpuNs, latencyNs, emptyNs };
  });
  return { clockReadNs: calibrateClock().clockReadNs, stages };
}

type StageId = OverheadSamples['stages'][number]['id'];

/** One batch through the stages, by the engine's loops or by plain ones. */
class Bench {
  /** What a call of the last plain loop took. */
  plainNs = 0;
  readonly #clients: Clients;
  readonly #relay: Relay;
  readonly #members: PackedMembers;
  readonly #recorder: LastReading;
  readonly #ends: ClientLoops;
  readonly #provider: ProviderLoops;
  readonly #sends = new Sends(CALLS);
  readonly #outbox = new EngineOutbox();
  readonly #stored = new Outputs(CALLS);
  readonly #fetched = new Outputs(CALLS);
  readonly #received = new Outputs(CALLS);
  readonly #deliveries: Deliveries = {
    sessions: [],
    members: [],
    messages: [],
    frames: [],
    again: [],
    count: 0,
  };
  readonly #all = Array.from({ length: CALLS }, (_, i) => i);

  constructor(clients: Clients, relay: Relay, members: PackedMembers, recorder: LastReading) {
    this.#clients = clients;
    this.#relay = relay;
    this.#members = members;
    this.#recorder = recorder;
    this.#ends = new ClientLoops(clients, recorder);
    this.#provider = new ProviderLoops(relay, undefined, recorder);
    const payload = new Payload(1, MESSAGE_BYTES);
    this.#sends.count = CALLS;
    for (let i = 0; i < CALLS; i++) {
      this.#sends.sessions[i] = i;
      this.#sends.plaintexts[i] = payload.plaintext(i, 0, MESSAGE_BYTES);
      this.#stored.add(MESSAGE_BYTES + ROOM_BYTES);
      this.#fetched.add(MESSAGE_BYTES + ROOM_BYTES);
      this.#received.add(MESSAGE_BYTES + ROOM_BYTES);
      this.#deliveries.sessions[i] = i;
      this.#deliveries.members[i] = 1;
    }
    this.#deliveries.count = CALLS;
    this.#runEngine('send');
    this.#runEngine('relay-store');
    for (let i = 0; i < CALLS; i++) this.#deliveries.frames[i] = this.#stored.written(i);
    this.#runEngine('relay-fetch');
  }

  /** Engine minus plain loop, ns per call, in one mode. */
  difference(id: StageId, mode: 'cpu' | 'latency', engineFirst: boolean): number {
    this.#recorder.mode = mode;
    let plain = engineFirst ? 0 : this.#timePlain(id, mode);
    this.#runEngine(id);
    const engine = this.#recorder.perCallNs;
    if (engineFirst) plain = this.#timePlain(id, mode);
    this.plainNs = plain;
    return engine - plain;
  }

  #timePlain(id: StageId, mode: 'cpu' | 'latency'): number {
    if (id === 'send') this.#outbox.clear();
    const read = mode === 'cpu' ? readThreadCpuNs : nowNs;
    const before = read();
    this.#runPlain(id);
    return (read() - before) / CALLS;
  }

  #runEngine(id: StageId): void {
    const deliveries = this.#deliveries;
    if (id === 'send') {
      this.#outbox.clear();
      this.#ends.send(this.#sends, 0, this.#outbox);
    } else if (id === 'relay-store') {
      this.#provider.store(this.#sends, this.#outbox, this.#members, 0, this.#stored);
    } else if (id === 'relay-fetch') {
      this.#provider.fetch(deliveries, this.#members, 0, this.#fetched);
    } else {
      this.#ends.receive('receive', deliveries, this.#all, 0, this.#received);
    }
  }

  #runPlain(id: StageId): void {
    if (id === 'send') this.#plainSend();
    else if (id === 'relay-store') this.#plainStore();
    else if (id === 'relay-fetch') this.#plainFetch();
    else this.#plainReceive();
  }

  #plainSend(): void {
    const clients = this.#clients;
    const outbox = this.#outbox;
    const { sessions, members, plaintexts } = this.#sends;
    for (let i = 0; i < CALLS; i++) {
      clients.send(sessions[i]!, members[i]!, plaintexts[i]!, 0, outbox);
    }
  }

  #plainStore(): void {
    const relay = this.#relay;
    const { frames } = this.#outbox;
    const { buffers } = this.#stored;
    for (let i = 0; i < CALLS; i++) relay.accept(i * 2, i * 2 + 1, frames[i]!, 0, buffers[i]!);
  }

  #plainFetch(): void {
    const relay = this.#relay;
    const { frames } = this.#deliveries;
    const { buffers } = this.#fetched;
    for (let i = 0; i < CALLS; i++) relay.deliver(i * 2 + 1, frames[i]!, 0, buffers[i]!);
  }

  #plainReceive(): void {
    const clients = this.#clients;
    const { sessions, frames } = this.#deliveries;
    const { buffers } = this.#received;
    for (let i = 0; i < CALLS; i++) clients.receive(sessions[i]!, 1, frames[i]!, 0, buffers[i]!);
  }
}
