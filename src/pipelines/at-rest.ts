import { carrierOptions, openCarrierRelay } from './_carrier.ts';
import { openReadable, READABLE_MEMORY } from './_readable-ends.ts';
import type { Pipeline } from './_pipeline.ts';

/** L2: what the relay stores is sealed under the provider's keys, one data key per segment. */
const atRest: Pipeline = {
  name: 'at-rest',
  title: 'encrypted hops, and a store sealed with one key per segment',
  family: 'plaintext-relay',
  rung: 'L2',
  adds: "encryption at rest with the provider's keys",
  predicate: "Whoever copies the relay's database, without its keys, reads every message in it.",
  specs: ['NIST SP 800-38D sections 8.2.1 and 8.3 (nonces and their limit); envelope encryption'],
  caveats: ['The relay holds the keys of its store and reads every message while it passes.'],
  options: carrierOptions({ hop: 'on', rest: 'segment' }),
  memory: READABLE_MEMORY,
  replayProtection: false,
  skipLimit: Infinity,
  open: openReadable,
  openRelay: openCarrierRelay,
};

export default atRest;
