import { carry, carrierOptions, openCarrierRelay } from './_carrier.ts';
import { ChainEnds } from './_chain-ends.ts';
import { SKIP_LIMIT } from './_ratchet-ends.ts';
import type { Pipeline, World } from './_pipeline.ts';
import { PERSIST_OPTION } from './_session-records.ts';

/** L5: X3DH once, then one symmetric chain per direction, whose keys are erased as they are used. */
const forwardSecrecy: Pipeline = {
  name: 'forward-secrecy',
  title: 'X3DH and one symmetric chain per direction, end to end',
  family: 'ratchet',
  rung: 'L5',
  adds: 'forward secrecy',
  predicate:
    'Whoever seizes a device opens the recorded messages that it sent and received before.',
  specs: [
    'X3DH revision 1 (2016-11-04), sections 3.1 to 3.4',
    'Double Ratchet revision 4 (2025-11-04), sections 2.2 and 3.2 (skipped keys); revision 1 (2016-11-20), section 5.2 (KDF_CK)',
  ],
  caveats: [
    'No post-compromise security: a seized chain key opens every later message of the session.',
    'Keys of messages that have not arrived are kept, at most 2,000 per end, and open them when seized.',
    'Not interoperable: identity is an X25519 key and a separate Ed25519 key in place of XEdDSA.',
  ],
  options: { ...carrierOptions({ hop: 'on', rest: 'user-day' }), persist: PERSIST_OPTION },
  replayProtection: true,
  skipLimit: SKIP_LIMIT,
  open(setup): World {
    const ends = new ChainEnds(setup);
    return { ...carry(setup, ends), directory: ends.accounts.directory };
  },
  openRelay: openCarrierRelay,
};

export default forwardSecrecy;
