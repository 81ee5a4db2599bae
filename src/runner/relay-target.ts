/**
 * What a relay's request costs its server at saturation, against a base, in pairs of time slots in
 * ABBA order: the relay in memory against a bare server of the platform, and in SQLite, durable with
 * group commit, against the relay in memory.
 *
 * The load is autocannon's, in another process; only the CPU of the server's process counts.
 *
 * @module
 */

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HarnessError } from '../core/errors.ts';
import { SeededRandom } from '../core/random.ts';
import { workerFile } from '../core/paths.ts';
import {
  closedLoopFault,
  type ClosedLoop,
  type ClosedLoopCounts,
  type PreparedRequest,
} from '../relay/load/autocannon.ts';
import {
  bearer,
  framesPath,
  mailboxPath,
  SENDER_HEADER,
  TOKEN_CHARACTERS,
} from '../relay/protocol.ts';
import type { RelaySettings } from '../relay/settings.ts';
import { startRelayProcess, type RelayProcess } from './relay-process.ts';

export const RELAY_TARGETS = ['relay-memory', 'relay-durable'] as const;
export type RelayTargetName = (typeof RELAY_TARGETS)[number];

/** Each is two pairs of slots, in processes of its own. */
const BLOCKS = 6;
const SLOT_MS = 1_500;
const WARMUP_MS = 1_000;
/** What stands in a slot before the clock: connections open, code is compiled. */
const RUN_IN_MS = 300;

/** Share of a slot for which the process computed, or its event loop was not idle. */
export const RELAY_BUSY_MIN = 0.9;

const CONNECTIONS = 32;
/** Together at least 10,000 distinct frames. */
const FRAMES_PER_CONNECTION = 320;
/** About that of a ratchet message of the chat workload. */
const FRAME_BYTES = 256;
const TOKEN = 'target'.padEnd(TOKEN_CHARACTERS, '_');

export interface RelayPairs {
  /** CPU of the server per request, one entry per pair. */
  readonly oursNs: readonly number[];
  readonly rawNs: readonly number[];
  /** The least over all slots. */
  readonly busyShare: number;
}

interface Reading {
  readonly atNs: number;
  readonly cpuNs: number;
  /** Time in which the event loop was not idle: waiting for a disk is in it, and in `cpuNs` is not. */
  readonly loopActiveNs: number;
  readonly requests: number;
}

interface ServerUnderTarget {
  readonly port: number;
  /** Whether it waits for a disk. */
  readonly isDisk: boolean;
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
  const oursNs: number[] = [];
  const rawNs: number[] = [];
  let busyShare = 1;
  try {
    for (let block = 0; block < BLOCKS; block++) {
      const servers: ServerUnderTarget[] = [];
      try {
        const ours = await startOurs(name, join(folder, String(block)), signal);
        servers.push(ours);
        const base =
          name === 'relay-memory'
            ? await startBare(signal)
            : await startRelay({ kind: 'memory' }, signal);
        servers.push(base);
        for (const server of servers) await slot(server, WARMUP_MS);
        const order = [ours, base, base, ours];
        const slots: { costNs: number; busy: number }[] = [];
        for (const server of order) {
          if (signal.aborted) throw failed('it was interrupted');
          slots.push(await slot(server, SLOT_MS));
        }
        const [first, second, third, fourth] = slots;
        oursNs.push(first!.costNs, fourth!.costNs);
        rawNs.push(second!.costNs, third!.costNs);
        busyShare = Math.min(busyShare, ...slots.map(({ busy }) => busy));
      } finally {
        for (const server of servers) await server.stop();
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  if (busyShare < RELAY_BUSY_MIN) {
    const share = (busyShare * 100).toFixed(0);
    throw failed(
      `a server was busy for ${share} % of a slot, and at least ${RELAY_BUSY_MIN * 100} % are needed: ` +
        'the load did not saturate it, or others had the machine',
    );
  }
  return { oursNs, rawNs, busyShare };
}

/** Loads a server for so long. */
async function slot(
  server: ServerUnderTarget,
  durationMs: number,
): Promise<{ costNs: number; busy: number }> {
  const generator = fork(workerFile('autocannon'), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced',
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  try {
    const loop: ClosedLoop = {
      origin: `http://127.0.0.1:${server.port}`,
      requests: REQUESTS,
      timeoutSeconds: 10,
    };
    const ending = new Promise<LoopAnswer>((resolve) => {
      generator.on('message', (message: 'answering' | LoopAnswer) => {
        if (message !== 'answering') resolve(message);
      });
      generator.on('exit', () => resolve({ failure: 'autocannon ended without a word' }));
    });
    generator.send({ start: loop });
    await Promise.race([once(generator, 'message'), ending]);
    await sleep(RUN_IN_MS);
    const before = await server.read();
    await sleep(durationMs);
    const after = await server.read();
    if (generator.connected) generator.send('stop');
    const answer = await ending;
    if (!('counts' in answer)) throw failed(answer.failure);
    const fault = closedLoopFault(answer.counts);
    if (fault !== undefined) throw failed(fault);
    const wallNs = after.atNs - before.atNs;
    const cpuNs = after.cpuNs - before.cpuNs;
    return {
      costNs: cpuNs / (after.requests - before.requests),
      // With a disk to wait for, computing all the time is not what saturation is.
      busy: (server.isDisk ? after.loopActiveNs - before.loopActiveNs : cpuNs) / wallNs,
    };
  } finally {
    generator.kill('SIGKILL');
  }
}

type LoopAnswer = { readonly counts: ClosedLoopCounts } | { readonly failure: string };

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
): Promise<ServerUnderTarget> {
  if (name === 'relay-memory') return startRelay({ kind: 'memory' }, signal);
  return startRelay({ kind: 'sqlite', folder, durability: 'full' }, signal);
}

async function startRelay(
  store: RelaySettings['store'],
  signal: AbortSignal,
): Promise<ServerUnderTarget> {
  // Nothing is fetched, so that every request is an append: there must be room for all of them.
  const limits = { framesPerMailbox: 2 ** 24, frames: 2 ** 24, bytes: 2 ** 40 };
  const settings = { host: '127.0.0.1', port: 0, store, senders: 'named', limits } as const;
  const relay = await startRelayProcess(settings, signal);
  const { port } = relay.ready;
  await register(port);
  const isDisk = store.kind === 'sqlite';
  return { port, isDisk, read: () => readRelay(relay), stop: () => relay.stop() };
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

async function startBare(signal: AbortSignal): Promise<ServerUnderTarget> {
  const child = fork(workerFile('bare-server'), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  // From the start: one that has died is noticed whenever it is asked.
  const ended = once(child, 'exit');
  const { port } = await said<{ port: number }>(child, ended);
  return {
    port,
    isDisk: false,
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

async function said<T>(child: ChildProcess, ended: Promise<unknown>): Promise<T> {
  const died = ended.then(() => Promise.reject(failed('the bare server ended')));
  const [message] = (await Promise.race([once(child, 'message'), died])) as [T];
  return message;
}

function failed(reason: string): HarnessError {
  return new HarnessError('WRONG_RESULT', reason);
}
