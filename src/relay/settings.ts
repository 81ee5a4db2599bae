/**
 * What a relay is started with, and what it says of itself: plain data, for whoever starts one in a
 * process of its own.
 *
 * @module
 */

import type { RelayLimits } from './limits.ts';
import type { Durability } from './sqlite-store.ts';

/** Key exchange of TLS 1.3; nothing else is negotiated. */
export const TLS_GROUPS = ['X25519', 'X25519MLKEM768'] as const;
export type TlsGroup = (typeof TLS_GROUPS)[number];

export type StoreSettings =
  | { readonly kind: 'memory' }
  | {
      readonly kind: 'sqlite';
      readonly folder: string;
      readonly durability: Durability;
      /** The relay's process deletes the folder when it stops, and so when whoever started it is gone. */
      readonly isTemporary?: boolean;
    };

/** The relay role of a pipeline. */
export interface RoleSettings {
  /** A name, or the path of a user's own file. */
  readonly pipeline: string;
  readonly provider: string;
  /** All of them, defaults filled in; `hop` is `none`, because TLS is the hop. */
  readonly options: Readonly<Record<string, string>>;
  /** The relay's serialised secret, in hexadecimal. */
  readonly secretHex: string;
}

export interface RelaySettings {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** Left out: plain HTTP, as a floor. */
  readonly tls?: TlsGroup;
  readonly store: StoreSettings;
  /** Left out: frames are opaque. */
  readonly role?: RoleSettings;
  /** `anonymous`: an append may come without a named sender, as sealed sender wants. */
  readonly senders: 'named' | 'anonymous';
  /** What differs from DEFAULT_LIMITS. */
  readonly limits?: Partial<RelayLimits>;
  /** Of whoever may ask for the hand-over and for the figures; without one nobody may. */
  readonly authorityToken?: string;
  readonly operatorToken?: string;
  /** Words to scan for; readable pipelines only. */
  readonly scanWords?: readonly string[];
  /** Whether an index for searching is kept; readable pipelines only. */
  readonly search?: boolean;
}

/** What a client is to negotiate, as a connection of the relay to itself found it. */
export interface NegotiatedTls {
  readonly protocol: string;
  readonly group: string;
  readonly cipher: string;
}

/** A relay that answers. */
export interface RelayReady {
  readonly pid: number;
  readonly host: string;
  readonly port: number;
  /** What an answer promises, in words. */
  readonly durability: string;
  readonly limits: RelayLimits;
  readonly tls?: NegotiatedTls & {
    /** PEM; trust it and nothing else. */
    readonly certificate: string;
  };
  /** What the store held already. */
  readonly mailboxes: number;
  readonly frames: number;
}

/** Counts since the start, and what there is now. */
export interface RelaySnapshot {
  /** Of a monotonic clock of the machine: process.hrtime. */
  readonly atNs: number;
  /** Of the process, collector and compiler included. */
  readonly cpuUserNs: number;
  readonly cpuSystemNs: number;
  /** Time in which the event loop did not wait for something to do; waiting for the disk is in it. */
  readonly loopActiveNs: number;
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  readonly externalBytes: number;
  readonly counts: RelayCounts;
}

export interface RelayCounts {
  /** Answers by what was done. */
  readonly registered: number;
  readonly appended: number;
  readonly fetches: number;
  readonly fetched: number;
  readonly acknowledgements: number;
  readonly acknowledged: number;
  readonly searches: number;
  readonly handed: number;
  /** Answers with 4xx or 5xx, by status. */
  readonly refused: Readonly<Record<string, number>>;
  /** Requests that broke off, or were none. */
  readonly broken: number;
  readonly expired: number;
  /** Transactions that held, and that did not. */
  readonly commits: number;
  readonly failedCommits: number;
  /** Messages with a word of the scan. */
  readonly scanHits: number;
  readonly handOverOverruns: number;
  readonly connections: number;
  readonly acceptedConnections: number;
  /** Beyond the limit: closed at once. */
  readonly droppedConnections: number;
  readonly tlsHandshakes: number;
  readonly tlsResumed: number;
  /** On the wire, TLS included. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly mailboxes: number;
  readonly frames: number;
  readonly frameBytes: number;
  readonly targets: number;
}
