import { carry, carrierOptions, openCarrierRelay } from './_carrier.ts';
import { openPqRatchetEnds, REKEY_OPTION } from './_pq-ratchet-ends.ts';
import { SKIP_LIMIT } from './_ratchet-ends.ts';
import { PERSIST_OPTION } from './_session-records.ts';
import type { Pipeline, World } from './_pipeline.ts';

/** L9: as L8 with encrypted headers, so that the relay sees no ratchet keys and no counters. */
const headerEncryption: Pipeline = {
  name: 'header-encryption',
  title: 'as L8, with encrypted ratchet headers',
  family: 'ratchet',
  rung: 'L9',
  adds: 'header encryption',
  predicate:
    'The relay reads ratchet keys and counters, and so bursts, turns and restarts of every conversation.',
  specs: [
    'Double Ratchet revision 4 (2025-11-04), section 4 (header encryption)',
    'Synthetic IV: Rogaway and Shrimpton, EUROCRYPT 2006',
    'PQXDH revision 3 (2023-05-24, updated 2024-01-23); FIPS 203 (ML-KEM-768, ML-KEM-1024)',
  ],
  caveats: [
    'The first frames of a session and the frames of a re-keying still show by their length.',
    'A message that is out of order costs one trial decryption of its header per chain with stored keys.',
  ],
  options: {
    ...carrierOptions({ hop: 'on', rest: 'user-day' }),
    persist: PERSIST_OPTION,
    rekey: REKEY_OPTION,
  },
  replayProtection: true,
  skipLimit: SKIP_LIMIT,
  open(setup): World {
    const ends = openPqRatchetEnds(setup, true);
    return { ...carry(setup, ends), directory: ends.accounts.directory };
  },
  openRelay: openCarrierRelay,
};

export default headerEncryption;
