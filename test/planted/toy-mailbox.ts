/**
 * A toy whose evidence is a copy of each message in a mailbox of the authority's own, written for
 * sessions under a warrant. Its relay refuses to take out of one mailbox what it put into another.
 */

import { getUint32, putUint32, utf8 } from '../../src/core/bytes.ts';
import { OUTCOME, type Outbox, type Pipeline, type Relay } from '../../src/pipelines/_pipeline.ts';
import { copy, IDLE, readingAuthority, TOY_TEXTS } from './_toy.ts';

const MAILBOX_BYTES = 4;

function open(to: number, stored: Uint8Array, out: Uint8Array): number {
  if (getUint32(stored, 0) !== to) return OUTCOME.UNKNOWN_KEY;
  return copy(stored.subarray(MAILBOX_BYTES), out);
}

function markingRelay(): Relay {
  return {
    connect: () => 0,
    accept(_from, to, frame, _atMs, out) {
      putUint32(out, 0, to);
      out.set(frame, MAILBOX_BYTES);
      return MAILBOX_BYTES + frame.length;
    },
    deliver: (to, stored, _atMs, out) => open(to, stored, out),
    handOver: open,
  };
}

function emit(outbox: Outbox, to: number, kind: 'message' | 'escrow', bytes: Uint8Array): void {
  outbox.reserve(bytes.length).set(bytes);
  outbox.emit(to, kind, bytes.length);
}

const toyMailbox: Pipeline = {
  ...TOY_TEXTS,
  name: 'toy-mailbox',
  title: 'a toy with a mailbox of the authority',
  paidByTargets: true,
  options: {
    targets: { title: 'sessions under a warrant', values: { min: 0, max: 100 }, default: '2' },
    copies: {
      title: 'sessions of which a copy is sent',
      values: ['targets', 'one-less', 'all'],
      default: 'targets',
    },
    copy: { title: 'what the copy says', values: ['same', 'other'], default: 'same' },
  },
  open({ members, users, options }) {
    const targets = Number(options['targets']);
    const copied = { all: Infinity, 'one-less': targets - 1 }[options['copies']!] ?? targets;
    return {
      targets,
      evidence: 'escrow',
      clients: {
        ...IDLE,
        send(session, member, plaintext, _atMs, outbox) {
          if (session < copied) {
            const text = plaintext.slice();
            if (options['copy'] === 'other') text[0]! ^= 1;
            emit(outbox, users, 'escrow', text); // The mailbox after the last user's.
          }
          emit(outbox, members.user(session, 1 - member), 'message', plaintext);
        },
        receive: (_session, _member, frame, _atMs, out) => copy(frame, out),
      },
      relay: utf8('nothing secret'),
      authority: [utf8('nothing secret')],
      directory: new Uint8Array(0),
    };
  },
  openRelay: () => markingRelay(),
  openAuthority: () => readingAuthority(),
};

export default toyMailbox;
