/**
 * What a relay's request costs its server at saturation, against a base, in pairs: the relay in memory
 * against a bare server of the platform, and in SQLite, durable with group commit, against the relay
 * in memory.
 *
 * Both servers of a pair share a core and are under load at once, so that what happens to the machine
 * happens to both; the loads, autocannon's, run on other cores. One core of load cannot saturate a core
 * of servers, for a request costs autocannon as much as a server: so a process that only computes takes
 * a third of theirs. Only the CPU of the servers' processes counts.
 *
 * @module
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HarnessError } from '../core/errors.ts';
import { SeededRandom } from '../core/random.ts';
import {
  closedLoopFault,
  type ClosedLoop,
  type PreparedRequest,
} from '../relay/load/autocannon.ts';
import { AutocannonProcess } from '../relay/load/autocannon-process.ts';
import {
  bearer,
  framesPath,
  mailboxPath,
  SENDER_HEADER,
  TOKEN_CHARACTERS,
} from '../relay/protocol.ts';
import type { RelaySettings } from '../relay/settings.ts';
import { loadPlaces, pinnableCores, workerCommand } from '../core/cores.ts';
import { startRelayProcess, type RelayProcess } from './relay-process.ts';

export const RELAY_TARGETS = ['relay-memory', 'relay-durable'] as const;
export type RelayTargetName = (typeof RELAY_TARGETS)[number];

/** Each is two slots, in processes of its own. */
const BLOCKS = 6;
const SLOTS_PER_BLOCK = 2;
const SLOT_MS = 2_000;
/** Slots in which a server had too little to do are repeated, up to so many in all. */
const REPEATED_MAX = 12;
/** Until the code of both is compiled; each server has a third of a core, or less. */
const WARMUP_MS = 5_000;
/** What stands in a slot before the clock: connections open, code is compiled. */
const RUN_IN_MS = 300;

/** Share of a slot for which a server's event loop was not idle, waiting for the core or a disk included. */
export const RELAY_BUSY_MIN = 0.9;

const CONNECTIONS = 256;
/** Together at least 10,000 distinct frames. */
const FRAMES_PER_CONNECTION = 40;
/** About that of a ratchet message of the chat workload. */
const FRAME_BYTES = 256;
const TOKEN = 'target'.padEnd(TOKEN_CHARACTERS, '_');

export interface RelayPairs {
  /** CPU of the server per request, one entry per pair. */
  readonly oursNs: readonly number[];
  readonly rawNs: readonly number[];
  /** The least of both servers over all slots that count. */
  readonly busyShare: number;
  /** Slots that were repeated. */
  readonly repeated: number;
}

interface Reading {
  readonly atNs: number;
  readonly cpuNs: number;
  /** Time in which the event loop was not idle. */
  readonly loopActiveNs: number;
  readonly requests: number;
}

interface ServerUnderTarget {
  readonly port: number;
  read(): Promise<Reading>;
  stop(): Promise<void>;
}

/**
 * @throws HarnessError for a server that was not saturated, or did not answer everything.
 */
export async function measureRelayPairs(
  name: RelayTargetName,
  signal: AbortSignal,
): Promise<RelayPairs> {
  const folder = await mkdtemp(join(tmpdir(), 'sealbench-target-'));
  const places = loadPlaces(pinnableCores());
  const oursNs: number[] = [];
  const rawNs: number[] = [];
  let busyShare = 1;
  let repeated = 0;
  try {
    for (let block = 0; block < BLOCKS; block++) {
      const servers: ServerUnderTarget[] = [];
      const ballast = places.servers.length === 0 ? undefined : forkOn(places.servers, 'ballast');
      try {
        servers.push(await startOurs(name, join(folder, String(block)), signal, places.servers));
        servers.push(
          name === 'relay-memory'
            ? await startBare(signal, places.servers)
            : await startRelay({ kind: 'memory' }, signal, places.servers),
        );
        await slotOf(servers, WARMUP_MS, places.loads);
        for (let slot = 0; slot < SLOTS_PER_BLOCK;) {
          if (signal.aborted) throw failed('it was interrupted');
          const [ours, base] = await slotOf(servers, SLOT_MS, places.loads);
          const busy = Math.min(ours!.busyShare, base!.busyShare);
          if (busy < RELAY_BUSY_MIN) {
            repeated += 1;
            if (repeated > REPEATED_MAX) throw notSaturated(busy, repeated);
            continue;
          }
          oursNs.push(ours!.costNs);
          rawNs.push(base!.costNs);
          busyShare = Math.min(busyShare, busy);
          slot += 1;
        }
      } finally {
        ballast?.kill('SIGKILL');
        for (const server of servers) await server.stop();
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return { oursNs, rawNs, busyShare, repeated };
}

function notSaturated(busyShare: number, repeated: number): HarnessError {
  const share = (busyShare * 100).toFixed(0);
  return failed(
    `in ${repeated} slots a server was busy for less than ${RELAY_BUSY_MIN * 100} % of the time, in ` +
      `the last for ${share} %: the load did not saturate it, or others had the machine`,
  );
}

/** Loads all servers at once for so long. */
async function slotOf(
  servers: readonly ServerUnderTarget[],
  durationMs: number,
  cores: readonly number[],
): Promise<ServerSlot[]> {
  const loops = servers.map(({ port }): ClosedLoop => ({
    origin: `http://127.0.0.1:${port}`,
    requests: REQUESTS,
    timeoutSeconds: 10,
  }));
  // On a core of its own one process loads all, so that none of them waits while another has the turn.
  const loads =
    cores.length === 0
      ? loops.map((loop) => new AutocannonProcess([loop]))
      : [new AutocannonProcess(loops, cores)];
  try {
    await Promise.all(loads.map(({ answering }) => answering));
    await sleep(RUN_IN_MS);
    const before = await Promise.all(servers.map((server) => server.read()));
    await sleep(durationMs);
    const after = await Promise.all(servers.map((server) => server.read()));
    for (const load of loads) load.stop();
    for (const counts of (await Promise.all(loads.map((load) => load.counts))).flat()) {
      const fault = closedLoopFault(counts);
      if (fault !== undefined) throw failed(fault);
    }
    return after.map((end, index) => {
      const start = before[index]!;
      return {
        costNs: (end.cpuNs - start.cpuNs) / (end.requests - start.requests),
        busyShare: (end.loopActiveNs - start.loopActiveNs) / (end.atNs - start.atNs),
      };
    });
  } finally {
    for (const load of loads) load.kill();
  }
}

interface ServerSlot {
  /** CPU of the server per request. */
  readonly costNs: number;
  readonly busyShare: number;
}

/** One list per connection, whose mailbox it is: it appends, and nobody fetches. */
const REQUESTS: readonly (readonly PreparedRequest[])[] = Array.from(
  { length: CONNECTIONS },
  (_, mailbox) =>
    Array.from({ length: FRAMES_PER_CONNECTION }, (__, frame) => ({
      method: 'POST',
      path: framesPath(mailbox),
      headers: { authorization: bearer(TOKEN), [SENDER_HEADER]: String(mailbox) },
      body: distinctFrame(mailbox * FRAMES_PER_CONNECTION + frame),
    })),
);

function distinctFrame(number: number): Uint8Array {
  const frame = new Uint8Array(FRAME_BYTES);
  new SeededRandom(number).fill(frame);
  return frame;
}

function startOurs(
  name: RelayTargetName,
  folder: string,
  signal: AbortSignal,
  cores: readonly number[],
): Promise<ServerUnderTarget> {
  if (name === 'relay-memory') return startRelay({ kind: 'memory' }, signal, cores);
  return startRelay({ kind: 'sqlite', folder, durability: 'full' }, signal, cores);
}

async function startRelay(
  store: RelaySettings['store'],
  signal: AbortSignal,
  cores: readonly number[],
): Promise<ServerUnderTarget> {
  // Nothing is fetched, so that every request is an append: there must be room for all of them.
  const limits = { framesPerMailbox: 2 ** 24, frames: 2 ** 24, bytes: 2 ** 40 };
  const settings = { host: '127.0.0.1', port: 0, store, senders: 'named', limits } as const;
  const relay = await startRelayProcess(settings, signal, cores);
  const { port } = relay.ready;
  await register(port);
  return { port, read: () => readRelay(relay), stop: () => relay.stop() };
}

async function register(port: number): Promise<void> {
  for (let mailbox = 0; mailbox < CONNECTIONS; mailbox++) {
    const answer = await fetch(`http://127.0.0.1:${port}${mailboxPath(mailbox)}`, {
      method: 'PUT',
      headers: { authorization: bearer(TOKEN) },
    });
    if (answer.status !== 201) throw failed(`a mailbox was refused with ${answer.status}`);
  }
}

async function readRelay(relay: RelayProcess): Promise<Reading> {
  const { atNs, cpuUserNs, cpuSystemNs, loopActiveNs, counts } = await relay.snapshot();
  const cpuNs = cpuUserNs + cpuSystemNs;
  return { atNs, cpuNs, loopActiveNs, requests: counts.appended };
}

async function startBare(
  signal: AbortSignal,
  cores: readonly number[],
): Promise<ServerUnderTarget> {
  const child = forkOn(cores, 'bare-server');
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  // From the start: one that has died is noticed whenever it is asked.
  const ended = once(child, 'exit');
  const { port } = await said<{ port: number }>(child, ended);
  return {
    port,
    read: () => {
      child.send('read');
      return said<Reading>(child, ended);
    },
    async stop() {
      signal.removeEventListener('abort', kill);
      kill();
      await ended;
    },
  };
}

function forkOn(cores: readonly number[], worker: string): ChildProcess {
  const [file, ...args] = workerCommand(worker, cores);
  return spawn(file!, args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

async function said<T>(child: ChildProcess, ended: Promise<unknown>): Promise<T> {
  const died = ended.then(() => Promise.reject(failed('the bare server ended')));
  const [message] = (await Promise.race([once(child, 'message'), died])) as [T];
  return message;
}

function failed(reason: string): HarnessError {
  return new HarnessError('WRONG_RESULT', reason);
}
