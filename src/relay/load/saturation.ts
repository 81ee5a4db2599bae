/**
 * A relay at saturation: autocannon, in a process of its own, as fast as the relay answers.
 *
 * Each connection is one or several devices that are written to: after every few appends to a mailbox
 * it fetches and acknowledges them, so that a message goes all its way and the store stays as small as
 * it is. Nothing is known of what became of a single frame: delivery is proved before, by messages of
 * the same pipeline through the same relay.
 *
 * @module
 */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClosedLoopFacts, ServerUse } from '../../measure/relay-facts.ts';
import { acknowledgePath, bearer, fetchPath, FRAME_ID_MAX, framesPath } from '../protocol.ts';
import {
  closedLoopFault,
  dividedLoop,
  summedCounts,
  type ClosedLoop,
  type PreparedRequest,
} from './autocannon.ts';
import { AutocannonProcess } from './autocannon-process.ts';
import type { RelayAddress } from './client.ts';
import type { Courier } from './courier.ts';
import { appendHeaders, type Append } from './requests.ts';
import type { RelaySpec } from './spec.ts';
import { useBetween, type RelayUnderLoad } from './under-load.ts';

/** Frames that are made beforehand and cycled through. */
export const FRAMES_MIN = 10_000;
/** Below it the relay waited for requests, and what it took for each is not what it takes at most. */
export const BUSY_SHARE_MIN = 0.9;
/** Longer than any answer of a relay that works. */
const TIMEOUT_SECONDS = 10;

export interface SaturationResult {
  readonly closedLoop: ClosedLoopFacts;
  /** Why the figures are none of a relay at saturation. */
  readonly invalid?: string;
  /** What went wrong. */
  readonly fault?: string;
}

/** @param cores Of autocannon; all when empty. */
export async function saturate(
  courier: Courier,
  relay: RelayUnderLoad,
  spec: RelaySpec,
  cores: readonly number[],
): Promise<SaturationResult> {
  const { ends } = courier;
  const blocks = Math.ceil(FRAMES_MIN / ends.sessions);
  const sessions = Array.from({ length: blocks }, () => [...Array(ends.sessions).keys()]).flat();
  const appends = courier.appendsOf(ends.makeBlock(sessions));
  const requests = requestsOf(appends, courier.tokens, spec.clients, spec.messagesPerFetch);
  const loop: ClosedLoop = {
    ...targetOf(relay.address),
    requests,
    timeoutSeconds: TIMEOUT_SECONDS,
  };
  const processes = generatorsFor(requests.length, cores.length || availableParallelism() - 1);
  const generators = dividedLoop(loop, processes).map(
    (share) => new AutocannonProcess([share], cores),
  );
  try {
    await Promise.all(generators.map(({ answering }) => answering));
    const startedNs = performance.now() * 1e6;
    await sleep(spec.warmupMs);
    const before = await relay.snapshot();
    await sleep(spec.timedMs);
    const after = await relay.snapshot();
    for (const generator of generators) generator.stop();
    const counts = summedCounts(
      (await Promise.all(generators.map(({ counts: own }) => own))).flat(),
    );
    const durationNs = performance.now() * 1e6 - startedNs;
    const server = useBetween(before, after);
    const closedLoop: ClosedLoopFacts = {
      generator: `autocannon ${await autocannonVersion()}, ${placeOf(processes, cores)}`,
      connections: requests.length,
      distinctFrames: appends.length,
      requestsPerMessage: requests.flat().length / appends.length,
      ...counts,
      durationNs,
      server,
    };
    const fault = closedLoopFault(counts);
    if (fault !== undefined) return { closedLoop, fault };
    const invalid = idleFault(server, spec.store);
    return invalid === undefined ? { closedLoop } : { closedLoop, invalid };
  } finally {
    for (const generator of generators) generator.kill();
  }
}

/**
 * Why a relay was not at saturation, in one sentence. With frames in memory it has nothing to do but to
 * compute, so its CPU is judged. With a store on a disk it waits for commits on the event loop, so the
 * loop is judged: it counts those waits, and waits for a core as well.
 */
export function idleFault(
  { cpuNs, loopActiveNs, wallNs }: Pick<ServerUse, 'cpuNs' | 'loopActiveNs' | 'wallNs'>,
  store: RelaySpec['store'],
): string | undefined {
  const isMemory = store === 'memory';
  const busy = (isMemory ? cpuNs : loopActiveNs) / wallNs;
  if (busy >= BUSY_SHARE_MIN) return undefined;
  return (
    `the relay was busy for ${(busy * 100).toFixed(1)} % of the time only ` +
    `(${isMemory ? 'CPU of its process' : 'its event loop'}), so autocannon, or another process, was ` +
    `the bottleneck; expected at least ${BUSY_SHARE_MIN * 100} %`
  );
}

/** In words: how many processes, and whether the relay is kept on another core than they are. */
function placeOf(processes: number, cores: readonly number[]): string {
  const count = `${processes} process${processes === 1 ? '' : 'es'}`;
  return `${count} ${cores.length === 0 ? 'on any core' : 'kept off the core of the relay'}`;
}

/** One process leaves a core to the relay; two are needed where one does not saturate it. */
function generatorsFor(connections: number, freeCores: number): number {
  return freeCores > 1 && connections % 2 === 0 ? 2 : 1;
}

function targetOf({ origin, tls }: RelayAddress): Pick<ClosedLoop, 'origin' | 'tlsOptions'> {
  if (tls === undefined) return { origin };
  return { origin, tlsOptions: { ecdhCurve: tls.group, minVersion: 'TLSv1.3' } };
}

/**
 * One list per connection. A mailbox belongs to one connection, so that its device gets what the
 * connection sent.
 */
export function requestsOf(
  appends: readonly Append[],
  tokens: readonly string[],
  connections: number,
  messagesPerFetch: number,
): PreparedRequest[][] {
  const lists: PreparedRequest[][] = Array.from({ length: connections }, () => []);
  const waiting = new Map<number, number>();
  const collect = (mailbox: number): void => {
    const headers = { authorization: bearer(tokens[mailbox]!) };
    lists[mailbox % connections]!.push(
      { method: 'GET', path: fetchPath(mailbox), headers },
      // All that it has: the ids of another turn are not known beforehand.
      { method: 'DELETE', path: acknowledgePath(mailbox, FRAME_ID_MAX), headers },
    );
  };
  for (const { frame, from, kind, bytes } of appends) {
    const { mailbox } = frame;
    lists[mailbox % connections]!.push({
      method: 'POST',
      path: framesPath(mailbox),
      headers: objectOf(appendHeaders(from, kind, tokens)),
      body: bytes,
    });
    const count = (waiting.get(mailbox) ?? 0) + 1;
    waiting.set(mailbox, count % messagesPerFetch);
    if (count === messagesPerFetch) collect(mailbox);
  }
  for (const [mailbox, count] of waiting) if (count > 0) collect(mailbox);
  return lists.filter((list) => list.length > 0);
}

function objectOf(namesAndValues: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let at = 0; at < namesAndValues.length; at += 2) {
    headers[namesAndValues[at]!] = namesAndValues[at + 1]!;
  }
  return headers;
}

async function autocannonVersion(): Promise<string> {
  const file = createRequire(import.meta.url).resolve('autocannon/package.json');
  return (JSON.parse(await readFile(file, 'utf8')) as { version: string }).version;
}
