import { carrierOptions, openCarrierRelay } from './_carrier.ts';
import { openReadable, READABLE_MEMORY } from './_readable-ends.ts';
import type { Pipeline } from './_pipeline.ts';

/** L1: encrypted between each client and the relay, which reads everything. */
const transport: Pipeline = {
  name: 'transport',
  title: 'encrypted hops; the relay reads and stores plaintext',
  family: 'plaintext-relay',
  rung: 'L1',
  adds: 'encryption between client and relay',
  predicate: 'Whoever records the network reads every message.',
  specs: ['RFC 8446 sections 4.4, 5.2, 5.3 and 7.1, in shape: not wire-compatible TLS'],
  caveats: [
    'The hop has the shape and the bytes of TLS 1.3 records, without certificates: the relay key is pinned.',
  ],
  options: carrierOptions({ hop: 'on', rest: 'none' }),
  memory: READABLE_MEMORY,
  replayProtection: false,
  skipLimit: Infinity,
  open: openReadable,
  openRelay: openCarrierRelay,
};

export default transport;
