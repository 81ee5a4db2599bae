/**
 * A toy of a library whose calls are asynchronous: a frame is the plaintext, and a call takes a turn of
 * the event loop. With `fault=none` it keeps its contract; it always refuses calls that overlap.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { equalBytes, utf8 } from '../../src/core/bytes.ts';
import {
  OUTCOME,
  type AsyncClients,
  type Pipeline,
  type Setup,
} from '../../src/pipelines/_pipeline.ts';
import { copy, plainRelay, TOY_TEXTS } from './_toy.ts';

export const ASYNC_FAULTS = [
  'none',
  'flipped-bit',
  'keeps-input',
  'writes-late',
  'rejects',
] as const;

/** The message that goes wrong, counted over all sessions. */
const AT_MESSAGE = 20;
const BUNDLE = utf8('a bundle of one user');

function asyncClients({ members, options }: Setup): AsyncClients {
  const { fault } = options;
  let inside = false;
  let received = 0;
  const kept: Uint8Array[] = [];
  async function alone<T>(call: () => T | Promise<T>): Promise<T> {
    if (inside) throw new Error('two calls at once');
    inside = true;
    await nextTurn();
    try {
      return await call();
    } finally {
      inside = false;
    }
  }
  return {
    asynchronous: true,
    publish: (user, _atMs, outbox) =>
      alone(() => {
        outbox.reserve(BUNDLE.length).set(BUNDLE);
        outbox.emit(user, 'bundle', BUNDLE.length);
      }),
    initiate: (_session, _member, bundle) =>
      alone(() => (bundle.length === BUNDLE.length ? 0 : OUTCOME.AUTH_FAILED)),
    send: (session, member, plaintext, _atMs, outbox) =>
      alone(async () => {
        const reserved = outbox.reserve(plaintext.length);
        await nextTurn(); // What it was given and has reserved must last until its promise settles.
        kept.push(plaintext);
        reserved.set(plaintext);
        outbox.emit(members.user(session, 1 - member), 'message', plaintext.length);
      }),
    receive: (_session, _member, frame, _atMs, out) =>
      alone(async () => {
        await nextTurn();
        const isTheOne = received++ === AT_MESSAGE;
        if (fault === 'rejects' && isTheOne) throw new Error('the toy was told to reject');
        if (fault === 'writes-late' && isTheOne) {
          const late = frame.slice();
          setImmediate(() => out.set(late));
          return frame.length;
        }
        // As long as nothing changes what it was given, that is the same.
        const same = kept.find((one) => equalBytes(one, frame)) ?? kept[0]!;
        const length = copy(fault === 'keeps-input' ? same.subarray(0, frame.length) : frame, out);
        if (fault === 'flipped-bit' && isTheOne) out[0]! ^= 1;
        return length;
      }),
  };
}

const toyAsync: Pipeline = {
  ...TOY_TEXTS,
  name: 'toy-async',
  title: 'a toy that is awaited',
  family: 'ratchet',
  options: { fault: { title: 'what goes wrong', values: ASYNC_FAULTS, default: 'none' } },
  open: (setup) => ({
    clients: asyncClients(setup),
    relay: utf8('nothing secret'),
    directory: new Uint8Array(0),
  }),
  openRelay: (): ReturnType<typeof plainRelay> => plainRelay(),
};

export default toyAsync;
