import { EMPTY } from '../core/bytes.ts';
import {
  carry,
  carrierOptions,
  ForwardingEnds,
  openCarrierRelay,
  type EndToEnd,
} from './_carrier.ts';
import { chosenRatchet, RATCHET_OPTION } from './_escrow-ratchet.ts';
import type { PackedMembers } from './_members.ts';
import type { Authority, Outbox, Pipeline, World } from './_pipeline.ts';
import { RatchetEnds, SKIP_LIMIT } from './_ratchet-ends.ts';
import { PERSIST_OPTION } from './_session-records.ts';

/** What a device sends, it uploads to its owner's backup as well. */
class BackedUpEnds extends ForwardingEnds implements EndToEnd {
  readonly #ends: RatchetEnds;
  readonly #members: PackedMembers;
  readonly receive: EndToEnd['receive'];

  constructor(ends: RatchetEnds, members: PackedMembers) {
    super(ends);
    this.#ends = ends;
    this.#members = members;
    this.receive = ends.receive.bind(ends);
  }

  send(session: number, member: number, plaintext: Uint8Array, atMs: number, outbox: Outbox): void {
    this.#ends.send(session, member, plaintext, atMs, outbox);
    outbox.reserve(plaintext.length).set(plaintext);
    outbox.emit(this.#members.user(session, member), 'escrow', plaintext.length);
  }
}

/** The provider opens its own seal, which is all that a backup has. */
const READS: Authority = {
  recover(_session, _member, evidence, out) {
    out.set(evidence);
    return evidence.length;
  },
};

/**
 * C7: messages travel end to end and devices upload their history under the provider's keys, as cloud
 * backups do by default. Where most real access happens.
 */
const providerBackup: Pipeline = {
  name: 'provider-backup',
  title: 'Double Ratchet whose history is backed up under the provider’s keys',
  family: 'escrow-wrapped',
  rung: 'C7',
  removes: 'end-to-end custody of the history: the provider’s key opens what was backed up',
  specs: [
    'X3DH revision 1 (2016-11-04), sections 3.1 to 3.4',
    'Double Ratchet revision 4 (2025-11-04), sections 3.1 to 3.5; revision 1 (2016-11-20), section 5.2',
    'Apple Platform Security, iCloud data security overview: standard data protection',
  ],
  caveats: [
    'Each message is uploaded by its sender as it is sent; a backup each night would cost fewer records.',
    'What the receiver’s device uploads is not modelled: it would double the bytes.',
    'An upload and its message share one fate when the network loses: it is modelled as one request.',
    'With rest=none the backup lies in the clear.',
  ],
  options: {
    ...carrierOptions({ hop: 'on', rest: 'user-day' }),
    persist: PERSIST_OPTION,
    ratchet: RATCHET_OPTION,
  },
  replayProtection: true,
  skipLimit: SKIP_LIMIT,
  open(setup): World {
    const ends = new RatchetEnds(setup, chosenRatchet(setup));
    return {
      ...carry(setup, new BackedUpEnds(ends, setup.members)),
      // It needs no key besides the relay's own.
      authority: [EMPTY],
      directory: ends.accounts.directory,
      evidence: 'escrow',
      standsAlone: true,
    };
  },
  openRelay: openCarrierRelay,
  openAuthority: () => READS,
};

export default providerBackup;
