import { CertificateAuthority } from '../protocols/sealed-sender.ts';
import { carry, carrierOptions, openCarrierRelay } from './_carrier.ts';
import { PaddedEnds, PADDING_OPTION } from './_padding.ts';
import { openPqRatchetEnds, REKEY_OPTION } from './_pq-ratchet-ends.ts';
import { SKIP_LIMIT } from './_ratchet-ends.ts';
import { CERTIFICATES_OPTION, SealedSenderEnds } from './_sealed-sender-ends.ts';
import { PERSIST_OPTION } from './_session-records.ts';
import type { Pipeline, World } from './_pipeline.ts';

/** L11: the relay takes frames over anonymous connections, and only their receiver knows from whom. */
const sealedSender: Pipeline = {
  name: 'sealed-sender',
  title: 'as L10, with the sender sealed and frames sent over anonymous connections',
  family: 'ratchet',
  rung: 'L11',
  adds: 'sender hiding',
  predicate: 'The relay writes down who sends to whom, and so has the contact graph of its users.',
  specs: [
    'Sealed Sender, first version: J. Lund, "Technology preview: Sealed sender for Signal", signal.org, 2018-10-29; libsignal, rust/protocol/src/sealed_sender.rs',
  ],
  caveats: [
    'Statistical disclosure is not prevented: the relay sees every receiver and when, and receipts give the sender away within a few messages (Martiny et al., NDSS 2021).',
    "All frames of one anonymous connection are known to have one sender, and connections live as long as users' own ones.",
    'IP addresses are not modelled.',
    'Not interoperable. The AES-256-GCM-SIV and the multi-recipient form of the second version are not built.',
    "A certificate is issued with a user's first frame of a day: one signature by the provider, timed as the sender's.",
    'Nothing limits who may send anonymously, for which Signal has access keys.',
  ],
  options: {
    ...carrierOptions({ hop: 'on', rest: 'user-day' }),
    persist: PERSIST_OPTION,
    rekey: REKEY_OPTION,
    padding: PADDING_OPTION,
    certificates: CERTIFICATES_OPTION,
  },
  replayProtection: true,
  skipLimit: SKIP_LIMIT,
  open(setup): World {
    const ends = openPqRatchetEnds(setup, true);
    const { accounts } = ends;
    const padded = new PaddedEnds(ends, setup.options);
    const authority = new CertificateAuthority(setup.provider, setup.randomness);
    const sealed = new SealedSenderEnds(setup, padded, accounts, authority);
    return { ...carry(setup, sealed, 'anonymous'), directory: accounts.directory };
  },
  openRelay: openCarrierRelay,
};

export default sealedSender;
