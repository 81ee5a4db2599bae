import { carrierOptions, openCarrierRelay } from './_carrier.ts';
import { openReadable, READABLE_MEMORY } from './_readable-ends.ts';
import type { Pipeline } from './_pipeline.ts';

/** L3: as L2 with one data key per user and day, so that a leaked key opens one mailbox's day. */
const atRestScoped: Pipeline = {
  name: 'at-rest-scoped',
  title: 'encrypted hops, and a store sealed with one key per user and day',
  family: 'plaintext-relay',
  rung: 'L3',
  adds: 'a data key of its own for each user and day',
  predicate:
    'Whoever learns one data key reads messages of other users and of other days from a copied database.',
  specs: ['NIST SP 800-38D sections 8.2.1 and 8.3 (nonces and their limit); envelope encryption'],
  caveats: ['The relay holds the keys of its store and reads every message while it passes.'],
  options: carrierOptions({ hop: 'on', rest: 'user-day' }),
  memory: READABLE_MEMORY,
  replayProtection: false,
  skipLimit: Infinity,
  open: openReadable,
  openRelay: openCarrierRelay,
};

export default atRestScoped;
