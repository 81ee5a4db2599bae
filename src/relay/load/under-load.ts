/**
 * A relay in a process of its own, as loads see it.
 *
 * @module
 */

import type { ServerUse } from '../../measure/relay-facts.ts';
import type { RelayReady, RelaySettings, RelaySnapshot } from '../settings.ts';
import type { RelayAddress } from './client.ts';

/** What `startRelayProcess` of src/runner/relay-process.ts gives, as far as loads need it. */
export interface StartedRelay {
  readonly ready: RelayReady;
  snapshot(): Promise<RelaySnapshot>;
  stop(): Promise<void>;
}

export type StartRelay = (settings: RelaySettings) => Promise<StartedRelay>;

export class RelayUnderLoad {
  readonly address: RelayAddress;
  readonly durability: string;
  readonly #started: StartedRelay;

  /** @param group Of the key exchange, where there is TLS. */
  constructor(started: StartedRelay, group: string | undefined) {
    const { host, port, tls, durability } = started.ready;
    this.#started = started;
    this.durability = durability;
    this.address =
      tls === undefined || group === undefined
        ? { origin: `http://${host}:${port}` }
        : { origin: `https://${host}:${port}`, tls: { certificate: tls.certificate, group } };
  }

  snapshot(): Promise<RelaySnapshot> {
    return this.#started.snapshot();
  }
}

/** What was used between two snapshots. */
export function useBetween(before: RelaySnapshot, after: RelaySnapshot): ServerUse {
  return {
    requests: requestsOf(after) - requestsOf(before),
    cpuNs: cpuOf(after) - cpuOf(before),
    wallNs: after.atNs - before.atNs,
    loopActiveNs: after.loopActiveNs - before.loopActiveNs,
    bytesIn: after.counts.receivedBytes - before.counts.receivedBytes,
    bytesOut: after.counts.sentBytes - before.counts.sentBytes,
  };
}

function cpuOf({ cpuUserNs, cpuSystemNs }: RelaySnapshot): number {
  return cpuUserNs + cpuSystemNs;
}

function requestsOf({ counts }: RelaySnapshot): number {
  const { registered, appended, fetches, acknowledgements, searches, refused } = counts;
  const refusals = Object.values(refused).reduce((sum, count) => sum + count, 0);
  return registered + appended + fetches + acknowledgements + searches + refusals;
}
