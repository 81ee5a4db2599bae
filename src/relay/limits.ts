/**
 * Limits on everything that a client can make grow, each a parameter of a relay.
 *
 * @module
 */

import { FRAME_BYTES_MAX } from './protocol.ts';

export interface RelayLimits {
  /** Longest frame; 413 beyond. */
  readonly frameBytes: number;
  /** Frames that wait in one mailbox, and as many escrow frames beside them; 507 beyond. */
  readonly framesPerMailbox: number;
  readonly mailboxes: number;
  /** Frames and bytes of frames in all mailboxes; 507 beyond. */
  readonly frames: number;
  readonly bytes: number;
  /** A frame that nobody fetched is gone after this. */
  readonly lifetimeMs: number;
  /** Connections at once; one more is closed before anything is read from it. */
  readonly connections: number;
  /** Request line and headers; 431 beyond. */
  readonly headerBytes: number;
  /** From the first byte, or from the opening of a silent connection, to the end of the headers; 408. */
  readonly headersMs: number;
  /** From the first byte to the end of the body; 408. */
  readonly requestMs: number;
  /** An idle connection is closed after this. */
  readonly keepAliveMs: number;
  /** What may wait for an authority that reads slowly; beyond it the stream is broken off. */
  readonly handOverBytes: number;
  /** Targets of an authority at once, as a share of the mailboxes; one is always possible. */
  readonly targetShare: number;
}

const DAY_MS = 86_400_000;

export const DEFAULT_LIMITS: RelayLimits = {
  frameBytes: FRAME_BYTES_MAX / 4,
  framesPerMailbox: 1_000,
  mailboxes: 100_000,
  frames: 1_000_000,
  bytes: 2 ** 30,
  // WhatsApp keeps an undelivered message on its servers for 30 days (its privacy policy, 2025).
  lifetimeMs: 30 * DAY_MS,
  connections: 1_000,
  headerBytes: 8 * 1024,
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 60_000,
  handOverBytes: 64 * 2 ** 20,
  // SI 2002/1931 asked for one in 10,000 of the persons served.
  targetShare: 1e-4,
};
