/** A toy whose sender keeps everything for ever: it runs out of memory. */

import type { Pipeline } from '../../src/pipelines/_pipeline.ts';
import { copy, IDLE, plainRelay, TOY_TEXTS } from './_toy.ts';

const hungry: Pipeline = {
  ...TOY_TEXTS,
  name: 'hungry',
  title: 'a toy that runs out of memory',
  options: {},
  open: ({ members }) => ({
    relay: new Uint8Array(0),
    directory: new Uint8Array(0),
    clients: {
      ...IDLE,
      send(session, member, plaintext, _atMs, outbox) {
        const kept: number[][] = [];
        while (kept.length < 1e9)
          kept.push(Array.from({ length: 10_000 }, (_, at) => at + kept.length + 0.5));
        outbox.reserve(plaintext.length).set(plaintext);
        outbox.emit(members.user(session, 1 - member), 'message', plaintext.length);
      },
      receive: (_session, _member, frame, _atMs, out) => copy(frame, out),
    },
  }),
  openRelay: plainRelay,
};
export default hungry;
