import { carry, carrierOptions, openCarrierRelay } from './_carrier.ts';
import { StaticEnds } from './_static-ends.ts';
import type { Pipeline, World } from './_pipeline.ts';
import { PERSIST_OPTION } from './_session-records.ts';

/** L4: end-to-end encryption under the users' static keys, one context per session and direction. */
const staticE2e: Pipeline = {
  name: 'static-e2e',
  title: 'end-to-end encryption with static keys, one context per session and direction',
  family: 'ratchet',
  rung: 'L4',
  adds: 'end-to-end encryption with static keys',
  predicate:
    'The relay reads every message that passes and makes messages that the receiver accepts.',
  specs: [
    'RFC 9180 sections 4.1, 5.1.3 and 5.2: mode_auth, which the successor draft drops',
    'RFC 6479 section 2 (replay window)',
  ],
  caveats: [
    'No forward secrecy: both ends keep the context, so a seized device opens all it sent and received.',
    "Whoever holds a receiver's static key can forge to that receiver, RFC 9180 section 9.1.1.",
    'A message more than 1,023 behind the latest of its direction is refused as a duplicate.',
    'A sender repeats 32 bytes until its peer has shown that it received them: always, when nobody answers.',
  ],
  options: { ...carrierOptions({ hop: 'on', rest: 'user-day' }), persist: PERSIST_OPTION },
  replayProtection: true,
  skipLimit: Infinity,
  open(setup): World {
    const ends = new StaticEnds(setup);
    return { ...carry(setup, ends), directory: ends.identities.directory };
  },
  openRelay: openCarrierRelay,
};

export default staticE2e;
