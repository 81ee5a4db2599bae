/** What the planted toys share: a pipeline without cryptography, of which each changes a part. */

import type { Authority, Pipeline, Relay } from '../../src/pipelines/_pipeline.ts';

export function copy(bytes: Uint8Array, out: Uint8Array): number {
  out.set(bytes);
  return bytes.length;
}

/** Stores and delivers what it is given. */
export function plainRelay(): Relay {
  return {
    connect: () => 0,
    accept: (_from, _to, frame, _atMs, out) => copy(frame, out),
    deliver: (_to, stored, _atMs, out) => copy(stored, out),
    handOver: (_to, stored, out) => copy(stored, out),
  };
}

/** For frames that are the plaintext. */
export function readingAuthority(): Authority {
  return { recover: (_session, _member, evidence, out) => copy(evidence, out) };
}

/** Calls of clients for which a toy has no use. */
export const IDLE = {
  connect: () => 0,
  publish: () => undefined,
  initiate: () => 0,
  snapshot: () => new Uint8Array(0),
  keys: () => new Uint8Array(0),
} as const;

export const TOY_TEXTS: Pick<
  Pipeline,
  'family' | 'rung' | 'specs' | 'caveats' | 'replayProtection' | 'skipLimit'
> = {
  family: 'escrow-wrapped',
  rung: 'side',
  specs: [],
  caveats: ['For tests of the harness.'],
  replayProtection: false,
  skipLimit: Infinity,
};
