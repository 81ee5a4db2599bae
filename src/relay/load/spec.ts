/**
 * What one repeat of a load is asked to do: plain data, one JSON line into a child process.
 *
 * @module
 */

import type { Workload } from '../../workload/workload.ts';

export interface RelaySpec {
  readonly kind: 'relay';
  /** What the relay is put under; see `load` of src/suite/relay-suite.ts. */
  readonly load: 'saturation' | 'knee' | 'hand-over' | 'connections';
  /** The cell's full name, for messages. */
  readonly cell: string;
  /** A name under src/pipelines/ or a path to a user's own file. */
  readonly pipeline: string;
  /** All options with their values, defaults filled in; `hop` is `none`. */
  readonly options: Readonly<Record<string, string>>;
  /** A name under src/providers/ or a path. */
  readonly provider: string;
  /** Its sizes, sessions and users hold; when messages are sent, the load decides. */
  readonly workload: Workload;
  readonly tls: 'none' | 'x25519' | 'x25519-mlkem768';
  readonly store: 'memory' | 'sqlite-full' | 'sqlite-normal';
  /** Connections that are kept open. */
  readonly clients: number;
  /** Messages that a device fetches and acknowledges at once. */
  readonly messagesPerFetch: number;
  /** Of a knee: p99 of the response time of an append. */
  readonly boundMs?: number;
  /** Of hand-over. */
  readonly ratePerSecond?: number;
  /** Of connections: whether each resumes an earlier session of TLS. */
  readonly resumption?: boolean;
  readonly messagesPerConnection?: readonly number[];
  readonly seed: number;
  readonly repeat: number;
  /** `verify` delivers a few messages over the relay and times nothing. */
  readonly purpose: 'measure' | 'verify';
  readonly warmupMs: number;
  readonly timedMs: number;
}
