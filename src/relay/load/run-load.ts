/**
 * One repeat: a relay in a process of its own, the ends of a pipeline in this one, and a load between.
 *
 * @module
 */

import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHex } from '../../core/bytes.ts';
import { HarnessError } from '../../core/errors.ts';
import { RUNS_DIR } from '../../core/paths.ts';
import type { RelayFacts } from '../../measure/relay-facts.ts';
import type { RelaySettings, TlsGroup } from '../settings.ts';
import { RelayClient } from './client.ts';
import { connections } from './connections.ts';
import { Courier, newToken, type Ends } from './courier.ts';
import { Faults } from './delivery.ts';
import { handOver } from './hand-over.ts';
import { findKnee } from './knee.ts';
import { saturate } from './saturation.ts';
import type { RelaySpec } from './spec.ts';
import { RelayUnderLoad, type StartRelay } from './under-load.ts';

const GROUPS: Readonly<Record<Exclude<RelaySpec['tls'], 'none'>, TlsGroup>> = {
  x25519: 'X25519',
  'x25519-mlkem768': 'X25519MLKEM768',
};
const DURABILITIES = { 'sqlite-full': 'full', 'sqlite-normal': 'normal' } as const;
/** In a mailbox; of a target some hundreds come in each window. */
const EVIDENCE_MAX = 100_000;
/** Linux `include/uapi/linux/magic.h`: files in memory, on which a commit waits for no disk. */
const TMPFS_MAGIC = 0x0102_1994;

/** The relay's serialised secret beside the ends, for what it has to seal itself. */
export interface LoadedEnds extends Ends {
  readonly relaySecret: Uint8Array;
}

export interface LoadReport {
  readonly status: 'ok' | 'error' | 'invalid';
  readonly reason?: string;
  readonly relay?: RelayFacts;
}

/**
 * @param start In a process of its own; tests give a planted relay.
 * @param cores For autocannon: not that of the relay, if it is kept on one; all when empty.
 * @throws HarnessError UNAVAILABLE where TLS is asked for and cannot be had.
 */
export async function runLoad(
  spec: RelaySpec,
  ends: LoadedEnds,
  start: StartRelay,
  cores: readonly number[] = [],
): Promise<LoadReport> {
  const authorityToken = newToken();
  const folder = spec.store === 'memory' ? undefined : await storeFolder();
  try {
    const settings = settingsOf(spec, ends, authorityToken, folder);
    const started = await start(settings);
    const relay = new RelayUnderLoad(started, settings.tls);
    const client = new RelayClient(relay.address, spec.clients);
    try {
      return await loadRelay(spec, ends, relay, client, { authorityToken, cores });
    } finally {
      await client.close();
      await started.stop();
    }
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** What some loads need besides the relay. */
interface LoadMeans {
  readonly authorityToken: string;
  readonly cores: readonly number[];
}

async function loadRelay(
  spec: RelaySpec,
  ends: LoadedEnds,
  relay: RelayUnderLoad,
  client: RelayClient,
  means: LoadMeans,
): Promise<LoadReport> {
  const faults = new Faults();
  const courier = await openCourier(ends, client, faults);
  const measured = await underLoad(spec, courier, relay, means);
  const { invalid, ...facts } = measured;
  const { sent, delivered } = courier;
  if (delivered !== sent) faults.add(`${delivered} of ${sent} messages were delivered`);
  const { tls, store, load } = spec;
  const { durability } = relay;
  const told: RelayFacts = {
    load,
    tls,
    store,
    durability,
    delivery: { sent, delivered },
    ...facts,
  };
  const { reason } = faults;
  if (reason !== undefined) return { status: 'error', reason, relay: told };
  if (invalid !== undefined) return { status: 'invalid', reason: invalid, relay: told };
  return { status: 'ok', relay: told };
}

async function openCourier(ends: Ends, client: RelayClient, faults: Faults): Promise<Courier> {
  try {
    return await Courier.open(ends, client, faults);
  } catch (error) {
    if (error instanceof HarnessError || !(error instanceof Error)) throw error;
    throw new HarnessError('WRONG_RESULT', error.message);
  }
}

type Measured = Omit<RelayFacts, 'load' | 'tls' | 'store' | 'durability' | 'delivery'> & {
  readonly invalid?: string;
};

async function underLoad(
  spec: RelaySpec,
  courier: Courier,
  relay: RelayUnderLoad,
  { authorityToken, cores }: LoadMeans,
): Promise<Measured> {
  const { faults } = courier;
  // The authority listens before the first message: some evidence is only in that.
  if (spec.load === 'hand-over' && spec.purpose === 'measure') {
    return handOver(courier, relay, spec, authorityToken);
  }
  await courier.begin();
  // What the opening lost or got wrong, no load makes right.
  if (faults.count > 0) return {};
  if (spec.purpose === 'verify') {
    // The way back: who received has answered.
    await courier.deliver(courier.appendsOf(courier.ends.makeBlock([0])));
    return {};
  }
  if (spec.load === 'saturation') {
    const { fault, ...measured } = await saturate(courier, relay, spec, cores);
    if (fault !== undefined) faults.add(fault);
    return measured;
  }
  if (spec.load === 'knee') return findKnee(courier, relay, spec);
  return { connections: await connections(courier, relay, spec) };
}

function settingsOf(
  { load, pipeline, provider, options, tls, store }: RelaySpec,
  ends: LoadedEnds,
  authorityToken: string,
  folder: string | undefined,
): RelaySettings {
  // Without a seal of its own the relay keeps what it gets, and needs to know nothing.
  const { rest = 'none' } = options;
  const role = { pipeline, provider, options, secretHex: toHex(ends.relaySecret) };
  return {
    host: '127.0.0.1',
    port: 0,
    store:
      store === 'memory'
        ? { kind: 'memory' }
        : {
            kind: 'sqlite',
            folder: folder!,
            durability: DURABILITIES[store],
            // A repeat may be killed, and then deletes nothing itself.
            isTemporary: true,
          },
    // What is evidence stays in its mailbox, from one window to the next.
    ...(load === 'hand-over' ? { limits: { framesPerMailbox: EVIDENCE_MAX } } : {}),
    senders: ends.isAnonymous ? 'anonymous' : 'named',
    authorityToken,
    ...(tls === 'none' ? {} : { tls: GROUPS[tls] }),
    ...(rest === 'none' ? {} : { role }),
  };
}

/** On a disk: a commit to files in memory would be durable and free. */
async function storeFolder(): Promise<string> {
  const { type } = await statfs(tmpdir());
  const parent = type === TMPFS_MAGIC ? RUNS_DIR : tmpdir();
  await mkdir(parent, { recursive: true });
  return mkdtemp(join(parent, 'sealbench-relay-'));
}
