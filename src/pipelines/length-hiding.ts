import { carry, carrierOptions, openCarrierRelay } from './_carrier.ts';
import { PaddedEnds, PADDING_OPTION } from './_padding.ts';
import { openPqRatchetEnds, REKEY_OPTION } from './_pq-ratchet-ends.ts';
import { SKIP_LIMIT } from './_ratchet-ends.ts';
import { PERSIST_OPTION } from './_session-records.ts';
import type { Pipeline, World } from './_pipeline.ts';

/** L10: plaintexts are padded, so that frames tell little of how long a message is. */
const lengthHiding: Pipeline = {
  name: 'length-hiding',
  title: 'as L9, with padded plaintexts',
  family: 'ratchet',
  rung: 'L10',
  adds: 'length hiding',
  predicate: 'Whoever sees a frame knows the length of its message to the byte.',
  specs: [
    'ISO/IEC 7816-4 padding to multiples of 160 bytes, in the manner of Signal',
    'Padmé: Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", PETS 2019, section 4',
  ],
  caveats: [
    'What is left, on the sizes of the workload chat: 0.20 of 6.70 bits per message with bucket160, 5.10 with padme, which is made for long messages.',
    'Lengths only: how many messages there are, and when, shows as before.',
  ],
  options: {
    ...carrierOptions({ hop: 'on', rest: 'user-day' }),
    persist: PERSIST_OPTION,
    rekey: REKEY_OPTION,
    padding: PADDING_OPTION,
  },
  replayProtection: true,
  skipLimit: SKIP_LIMIT,
  open(setup): World {
    const ends = openPqRatchetEnds(setup, true);
    const { directory } = ends.accounts;
    return { ...carry(setup, new PaddedEnds(ends, setup.options)), directory };
  },
  openRelay: openCarrierRelay,
};

export default lengthHiding;
