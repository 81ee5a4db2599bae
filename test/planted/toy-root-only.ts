/**
 * A toy that promises that its escrow recovers nothing. `authority` says what comes of a recovery; only
 * with `silent` does it keep that promise.
 */

import { utf8 } from '../../src/core/bytes.ts';
import { OUTCOME, type Pipeline } from '../../src/pipelines/_pipeline.ts';
import { copy, IDLE, plainRelay, TOY_TEXTS } from './_toy.ts';

const toyRootOnly: Pipeline = {
  ...TOY_TEXTS,
  name: 'toy-root-only',
  title: 'a toy that recovers nothing',
  recovers: 'none',
  options: {
    authority: {
      title: 'what comes of a recovery',
      values: ['silent', 'reads', 'guesses'],
      default: 'silent',
    },
  },
  open: ({ members }) => ({
    clients: {
      ...IDLE,
      send(session, member, plaintext, _atMs, outbox) {
        outbox.reserve(plaintext.length).set(plaintext);
        outbox.emit(members.user(session, 1 - member), 'message', plaintext.length);
      },
      receive: (_session, _member, frame, _atMs, out) => copy(frame, out),
    },
    relay: utf8('nothing secret'),
    authority: [utf8('nothing secret')],
    directory: new Uint8Array(0),
  }),
  openRelay: () => plainRelay(),
  openAuthority: ({ options }) => ({
    recover(_session, _member, evidence, out) {
      if (options['authority'] === 'silent') return OUTCOME.UNKNOWN_KEY;
      const length = copy(evidence, out);
      if (options['authority'] === 'guesses') out[0]! ^= 1;
      return length;
    },
  }),
};

export default toyRootOnly;
