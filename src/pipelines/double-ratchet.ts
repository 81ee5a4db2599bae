import { carry, carrierOptions, openCarrierRelay } from './_carrier.ts';
import { ratchetMemory, RatchetEnds, SKIP_LIMIT, TURN_OPTION } from './_ratchet-ends.ts';
import { PERSIST_OPTION } from './_session-records.ts';
import type { Pipeline, World } from './_pipeline.ts';

/** L6: X3DH and the Double Ratchet between the two ends; the relay carries what it cannot read. */
const doubleRatchet: Pipeline = {
  name: 'double-ratchet',
  title: 'X3DH and the Double Ratchet, end to end',
  family: 'ratchet',
  rung: 'L6',
  adds: 'post-compromise security',
  predicate:
    'Whoever seizes a device opens every later message of its sessions, however long they go on.',
  specs: [
    'X3DH revision 1 (2016-11-04), sections 3.1 to 3.4',
    'Double Ratchet revision 4 (2025-11-04), sections 3.1 to 3.5; revision 1 (2016-11-20), section 5.2, and with turn=deferred 6.5',
  ],
  caveats: [
    'Not interoperable: identity is an X25519 key and a separate Ed25519 key in place of XEdDSA.',
  ],
  options: {
    ...carrierOptions({ hop: 'on', rest: 'user-day' }),
    persist: PERSIST_OPTION,
    turn: TURN_OPTION,
  },
  memory: ratchetMemory,
  replayProtection: true,
  skipLimit: SKIP_LIMIT,
  open(setup): World {
    const ends = new RatchetEnds(setup);
    return { ...carry(setup, ends), directory: ends.accounts.directory };
  },
  openRelay: openCarrierRelay,
};

export default doubleRatchet;
