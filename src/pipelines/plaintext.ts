import { carrierOptions, openCarrierRelay } from './_carrier.ts';
import { openReadable, READABLE_MEMORY } from './_readable-ends.ts';
import type { Pipeline } from './_pipeline.ts';

/** L0: a frame is the plaintext, on the wire and in the relay's store. */
const plaintext: Pipeline = {
  name: 'plaintext',
  title: 'nothing is protected',
  family: 'plaintext-relay',
  rung: 'L0',
  specs: [],
  caveats: ['A floor that nobody ships: it shows what moving the bytes costs.'],
  options: carrierOptions({ hop: 'none', rest: 'none' }),
  memory: READABLE_MEMORY,
  replayProtection: false,
  skipLimit: Infinity,
  open: openReadable,
  openRelay: openCarrierRelay,
};

export default plaintext;
