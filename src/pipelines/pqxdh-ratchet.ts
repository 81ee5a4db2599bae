import { carry, carrierOptions, openCarrierRelay } from './_carrier.ts';
import { chosenKem } from './_kem.ts';
import { RatchetEnds, SKIP_LIMIT } from './_ratchet-ends.ts';
import { PERSIST_OPTION } from './_session-records.ts';
import type { Pipeline, World } from './_pipeline.ts';

/** L7: as L6 with a handshake that a quantum computer does not open: PQXDH with ML-KEM-1024. */
const pqxdhRatchet: Pipeline = {
  name: 'pqxdh-ratchet',
  title: 'PQXDH with ML-KEM-1024, then the Double Ratchet',
  family: 'ratchet',
  rung: 'L7',
  adds: 'a post-quantum handshake',
  predicate:
    'Whoever records the traffic and later has a quantum computer opens every message: all keys follow from X25519.',
  specs: [
    'PQXDH revision 3 (2023-05-24, updated 2024-01-23), sections 3.3, 3.4 and 4.12',
    'FIPS 203 (ML-KEM-1024)',
    'Double Ratchet revision 4 (2025-11-04), sections 3.1 to 3.5; revision 1 (2016-11-20), section 5.2',
  ],
  caveats: [
    'ML-KEM-1024 of FIPS 203, where deployed libsignal uses Kyber-1024 of round 3: not interoperable.',
    'Every bundle has a one-time KEM prekey; the last-resort prekey is not modelled.',
  ],
  options: { ...carrierOptions({ hop: 'on', rest: 'user-day' }), persist: PERSIST_OPTION },
  replayProtection: true,
  skipLimit: SKIP_LIMIT,
  open(setup): World {
    const handshakeKem = chosenKem(setup.provider, 'ml-kem-1024');
    const ends = new RatchetEnds(setup, { handshakeKem });
    return { ...carry(setup, ends), directory: ends.accounts.directory };
  },
  openRelay: openCarrierRelay,
};

export default pqxdhRatchet;
