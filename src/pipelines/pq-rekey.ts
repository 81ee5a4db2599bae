import { carry, carrierOptions, openCarrierRelay } from './_carrier.ts';
import { openPqRatchetEnds, REKEY_OPTION } from './_pq-ratchet-ends.ts';
import { SKIP_LIMIT } from './_ratchet-ends.ts';
import { PERSIST_OPTION } from './_session-records.ts';
import type { Pipeline, World } from './_pipeline.ts';

/** L8: as L7, and a fresh ML-KEM-768 secret in the root key every 50 messages or 7 days. */
const pqRekey: Pipeline = {
  name: 'pq-rekey',
  title: 'as L7, re-keyed with ML-KEM-768 every 50 messages or 7 days',
  family: 'ratchet',
  rung: 'L8',
  adds: 'post-quantum post-compromise security',
  predicate:
    'Whoever copies the state once and later has a quantum computer opens every message after that.',
  specs: [
    'In the manner of Apple PQ3 (2024-02-21), re-keying about every 50 messages and at most 7 days; a construction of our own',
    'PQXDH revision 3 (2023-05-24, updated 2024-01-23)',
    'FIPS 203 (ML-KEM-768, ML-KEM-1024)',
    'Double Ratchet revision 4 (2025-11-04), sections 3.1 to 3.5; revision 1 (2016-11-20), section 5.2',
  ],
  caveats: [
    'Not SPQR and not interoperable with it: keys travel whole, 2,272 bytes per epoch, not in chunks.',
    'An epoch needs both ends to speak. In 40 messages the default one does not complete: at most its key is sent, after 7 days.',
  ],
  options: {
    ...carrierOptions({ hop: 'on', rest: 'user-day' }),
    persist: PERSIST_OPTION,
    rekey: REKEY_OPTION,
  },
  replayProtection: true,
  skipLimit: SKIP_LIMIT,
  open(setup): World {
    const ends = openPqRatchetEnds(setup, false);
    return { ...carry(setup, ends), directory: ends.accounts.directory };
  },
  openRelay: openCarrierRelay,
};

export default pqRekey;
