import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { concatBytes } from '../../src/core/bytes.ts';
import {
  acknowledgePath,
  bearer,
  bearerToken,
  FETCH_FRAMES_DEFAULT,
  FETCHED_HEADER_BYTES,
  fetchPath,
  FRAME_BYTES_MAX,
  FRAME_ID_MAX,
  framesPath,
  HANDED_HEADER_BYTES,
  KIND_HEADER,
  SENDER_HEADER,
  HandedReader,
  HANDOVER_PATH,
  handOverPath,
  MAILBOX_ID_MAX,
  mailboxPath,
  NO_SENDER,
  putFetchedHeader,
  putHandedHeader,
  readFetched,
  readId,
  readRoute,
  searchPath,
  STATS_PATH,
  TOKEN_CHARACTERS,
  type FetchedFrame,
  type HandedFrame,
} from '../../src/relay/protocol.ts';

const mailboxes = fc.integer({ min: 0, max: MAILBOX_ID_MAX });
const frameIds = fc.integer({ min: 1, max: FRAME_ID_MAX });
const times = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const bytes = fc.uint8Array({ maxLength: 300 });
const fetched = fc.record({ id: frameIds, atMs: times, bytes }, { noNullPrototype: true });

test('every path reads as the resource it was made for', () => {
  fc.assert(
    fc.property(mailboxes, frameIds, (mailbox, through) => {
      const none = { query: '', mailbox };
      assert.deepEqual(readRoute(mailboxPath(mailbox)), { ...none, resource: 'mailbox' });
      assert.deepEqual(readRoute(framesPath(mailbox)), { ...none, resource: 'frames' });
      const fetching = readRoute(fetchPath(mailbox));
      assert.deepEqual(fetching, {
        resource: 'frames',
        mailbox,
        query: `max=${FETCH_FRAMES_DEFAULT}`,
      });
      const acknowledging = readRoute(acknowledgePath(mailbox, through));
      assert.deepEqual(acknowledging, { resource: 'frames', mailbox, query: `through=${through}` });
      const searching = readRoute(searchPath(mailbox, 'a b'));
      assert.deepEqual(searching, { resource: 'search', mailbox, query: 'word=a%20b' });
      const handing = readRoute(handOverPath([mailbox, 1]));
      assert.deepEqual(handing, {
        resource: 'handover',
        mailbox: -1,
        query: `mailbox=${mailbox},1`,
      });
    }),
  );
  assert.equal(readRoute(STATS_PATH)?.resource, 'stats');
  assert.equal(readRoute(HANDOVER_PATH)?.resource, 'handover');
});

test('paths that there are not read as none', () => {
  for (const path of [
    '',
    '/',
    '*',
    '/v1',
    '/v1/mailboxes',
    '/v2/mailboxes/1',
    '/v1/mailboxes/1/',
    '/v1/mailboxes/1/frames/',
    '/v1/mailboxes/1/frames/2',
    '/v1/mailboxes/1/other',
    '/v1/stats/',
    'http://relay/v1/stats',
    '//v1/stats',
  ]) {
    assert.equal(readRoute(path), undefined, path);
  }
});

test('an id is a decimal within its bounds and nothing else', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (id) => {
      assert.equal(readId(String(id), 0, 2 ** 31), id);
    }),
  );
  for (const text of [
    '',
    '-1',
    '+1',
    '01',
    '00',
    '1.0',
    '1e3',
    ' 1',
    '1 ',
    '٣',
    '99999999999',
    'x',
  ]) {
    assert.ok(Number.isNaN(readId(text, 0, 2 ** 40)), text);
  }
  assert.ok(Number.isNaN(readId('0', 1, 9)));
  assert.ok(Number.isNaN(readId('10', 1, 9)));
  assert.ok(Number.isNaN(readRoute('/v1/mailboxes/4194304/frames')!.mailbox));
});

test('a token is read from a bearer header of the right form only', () => {
  const token = 'aZ09-_'.padEnd(TOKEN_CHARACTERS, 'x');
  assert.equal(bearerToken(bearer(token)), token);
  assert.equal(bearerToken(`bearer ${token}`), token);
  for (const header of [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    token,
    `Basic ${token}`,
    `Bearer  ${token}`,
    `Bearer ${token}x`,
    `Bearer ${token.slice(1)}`,
    `Bearer ${token.slice(1)}=`,
    `Bearer ${token}\n`,
  ]) {
    assert.equal(bearerToken(header), undefined, String(header));
  }
});

function fetchBody(frames: readonly FetchedFrame[]): Uint8Array {
  return concatBytes(
    ...frames.flatMap((frame) => {
      const header = new Uint8Array(FETCHED_HEADER_BYTES);
      putFetchedHeader(header, 0, frame.id, frame.atMs, frame.bytes.length);
      return [header, frame.bytes];
    }),
  );
}

test('a fetched body reads as the frames that were written', () => {
  fc.assert(
    fc.property(fc.array(fetched), (frames) => {
      assert.deepEqual(readFetched(fetchBody(frames)), frames);
    }),
  );
});

test('a fetched body that breaks off anywhere but between frames is refused', () => {
  fc.assert(
    fc.property(
      frameIds,
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      fc.nat(),
      (id, text, cut) => {
        const body = fetchBody([{ id, atMs: 1, bytes: text }]);
        const length = 1 + (cut % (body.length - 1));
        assert.throws(() => readFetched(body.subarray(0, length)), RangeError);
      },
    ),
  );
});

test('a hand-over stream reads the same whatever pieces it comes in', () => {
  const frame = fc.record(
    {
      id: frameIds,
      atMs: times,
      to: mailboxes,
      from: fc.oneof(mailboxes, fc.constant(NO_SENDER)),
      bytes,
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(frame), fc.array(fc.integer({ min: 1, max: 90 })), (frames, cuts) => {
      const stream = concatBytes(
        ...frames.flatMap((handed) => {
          const header = new Uint8Array(HANDED_HEADER_BYTES);
          putHandedHeader(header, 0, handed);
          return [header, handed.bytes];
        }),
      );
      const reader = new HandedReader();
      const read: HandedFrame[] = [];
      let at = 0;
      for (const cut of [...cuts, stream.length]) {
        read.push(...reader.push(stream.subarray(at, at + cut)));
        at = Math.min(stream.length, at + cut);
      }
      read.push(...reader.push(stream.subarray(at)));
      assert.deepEqual(read, frames);
    }),
  );
});

test('a hand-over stream with an impossible length is refused', () => {
  const header = new Uint8Array(HANDED_HEADER_BYTES);
  header.fill(0xff, 24);
  assert.throws(() => new HandedReader().push(header), RangeError);
  assert.ok(FRAME_BYTES_MAX < 0xffff_ffff);
});

test('header names are in the case in which Node shows them', () => {
  for (const name of [KIND_HEADER, SENDER_HEADER]) assert.equal(name, name.toLowerCase());
});
