/** The hops under every pipeline: what a connection that is not open, or not honest, comes to. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { EMPTY } from '../../src/core/bytes.ts';
import { loadByName } from '../../src/core/discover.ts';
import { PIPELINES_DIR } from '../../src/core/paths.ts';
import { seededRandomness } from '../../src/crypto/randomness.ts';
import { PackedMembers } from '../../src/pipelines/_members.ts';
import {
  ANONYMOUS_CONNECTION,
  OUTCOME,
  type Clients,
  type Outbox,
  type Pipeline,
  type Relay,
  synchronousClients,
} from '../../src/pipelines/_pipeline.ts';
import {
  HOP_ANSWER_BYTES,
  HOP_FINISH_BYTES,
  HOP_HELLO_BYTES,
  HOP_OVERHEAD_BYTES,
} from '../../src/protocols/hop.ts';
import { loadProvider, optionsOf } from '../conformance/_parts.ts';

const node = await loadProvider('node');
const ROOM_BYTES = 1024;
const RUNS = { seed: 12, numRuns: 60 };

interface Ends {
  readonly clients: Clients;
  readonly relay: Relay;
}

/** Two users and one session, nothing connected. */
async function unconnected(name: string): Promise<Ends> {
  const pipeline = await loadByName<Pipeline>(PIPELINES_DIR, name, 'pipeline');
  const options = optionsOf(pipeline, { hop: 'on', rest: 'none' });
  const members = new PackedMembers(Uint32Array.of(0, 1));
  const randomness = seededRandomness(1);
  const setup = { provider: node, randomness, users: 2, members, options, seed: 1 };
  const { clients, relay: secret } = await pipeline.open(setup);
  const opening = { provider: node, randomness: seededRandomness(2), secret, options };
  return { clients: synchronousClients(clients), relay: pipeline.openRelay(opening) };
}

const room = (): Uint8Array => new Uint8Array(ROOM_BYTES);

function written(write: (out: Uint8Array) => number): Uint8Array {
  const out = room();
  const length = write(out);
  assert.ok(length >= 0, String(length));
  return out.slice(0, length);
}

const hello = ({ clients }: Ends, connection: number): Uint8Array =>
  written((out) => clients.connect(connection, EMPTY, 0, out));
const answer = ({ relay }: Ends, connection: number, flight: Uint8Array): Uint8Array =>
  written((out) => relay.connect(connection, flight, 0, out));
const finish = ({ clients }: Ends, connection: number, reply: Uint8Array): Uint8Array =>
  written((out) => clients.connect(connection, reply, 0, out));

function connect(ends: Ends, connection: number): void {
  const flight = finish(ends, connection, answer(ends, connection, hello(ends, connection)));
  assert.equal(answer(ends, connection, flight).length, 0);
}

/** Bytes of any length, and of each length that a flight may have. */
const garbage = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 400 }),
  ...[HOP_HELLO_BYTES, HOP_ANSWER_BYTES, HOP_FINISH_BYTES].map((length) =>
    fc.uint8Array({ minLength: length, maxLength: length }),
  ),
);

describe('a garbage flight', () => {
  for (const connection of [0, ANONYMOUS_CONNECTION]) {
    const name = connection === 0 ? 'transport' : 'sealed-sender';
    test(`is AUTH_FAILED to the relay of ${name}, whatever it waits for`, async () => {
      const ends = await unconnected(name);
      const refuses = (flight: Uint8Array): void =>
        assert.equal(ends.relay.connect(connection, flight, 0, room()), OUTCOME.AUTH_FAILED);
      refuses(EMPTY);
      const property = fc.property(garbage, fc.boolean(), (flight, waiting) => {
        // Waiting for the third flight, or for the first.
        if (waiting) answer(ends, connection, hello(ends, connection));
        refuses(flight);
      });
      fc.assert(property, RUNS);
      connect(ends, connection); // It has not suffered.
    });

    test(`is AUTH_FAILED to the client of ${name}, whatever it waits for`, async () => {
      const ends = await unconnected(name);
      const refuses = (reply: Uint8Array): void =>
        assert.equal(ends.clients.connect(connection, reply, 0, room()), OUTCOME.AUTH_FAILED);
      const property = fc.property(garbage, fc.boolean(), (reply, waiting) => {
        if (waiting) hello(ends, connection);
        refuses(reply);
      });
      fc.assert(property, RUNS);
      connect(ends, connection);
    });
  }

  test('of the right form with a key of low order is AUTH_FAILED to both ends', async () => {
    const ends = await unconnected('transport');
    const flight = hello(ends, 0);
    const reply = answer(ends, 0, flight);
    assert.equal(flight.length, HOP_HELLO_BYTES);
    assert.equal(
      ends.clients.connect(
        0,
        reply.slice().fill(0, HOP_HELLO_BYTES - 32, HOP_HELLO_BYTES),
        0,
        room(),
      ),
      OUTCOME.AUTH_FAILED,
    );
    flight.fill(0, HOP_HELLO_BYTES - 32);
    assert.equal(ends.relay.connect(0, flight, 0, room()), OUTCOME.AUTH_FAILED);
  });

  test('that shows the token of another user is AUTH_FAILED', async () => {
    const ends = await unconnected('transport');
    const flight = finish(ends, 0, answer(ends, 1, hello(ends, 0)));
    assert.equal(ends.relay.connect(1, flight, 0, room()), OUTCOME.AUTH_FAILED);
  });
});

/** How far each end is, and who takes it there. */
const NOT_OPEN: readonly (readonly [string, (ends: Ends, user: number) => void])[] = [
  ['was never begun', () => undefined],
  ['has said hello', (ends, user) => void hello(ends, user)],
  ['has its answer under way', (ends, user) => void answer(ends, user, hello(ends, user))],
  [
    'was refused',
    (ends, user) => {
      const reply = answer(ends, user, hello(ends, user));
      reply[reply.length - 1]! ^= 1;
      assert.equal(ends.clients.connect(user, reply, 0, room()), OUTCOME.AUTH_FAILED);
    },
  ],
];

describe('over a connection that is not open', () => {
  for (const [how, begin] of NOT_OPEN) {
    test(`nothing is sent where it ${how}: sending throws and emits nothing`, async () => {
      for (const name of ['transport', 'double-ratchet']) {
        const ends = await unconnected(name);
        begin(ends, 0);
        connect(ends, 1);
        let bundle: Uint8Array = EMPTY;
        ends.clients.publish(1, 0, {
          reserve: (bytes) => (bundle = new Uint8Array(bytes)),
          emit: () => undefined,
        });
        assert.equal(ends.clients.initiate(0, 0, bundle, 0), 0);
        const outbox: Outbox = {
          reserve: (bytes) => new Uint8Array(bytes),
          emit: () => assert.fail('something was emitted'),
        };
        assert.throws(() => ends.clients.send(0, 0, Uint8Array.of(1, 2, 3), 0, outbox), {
          name: 'RangeError',
          message: '"connection" expected one that is open, got one that is not',
        });
      }
    });

    test(`the relay takes and delivers nothing where it ${how}, and says why`, async () => {
      const ends = await unconnected('transport');
      begin(ends, 0);
      const { relay, clients } = ends;
      assert.equal(relay.deliver(0, Uint8Array.of(1, 2, 3), 0, room()), OUTCOME.UNKNOWN_KEY);
      for (const bytes of [0, HOP_OVERHEAD_BYTES - 1, HOP_OVERHEAD_BYTES, 100]) {
        const frame = new Uint8Array(bytes);
        assert.equal(relay.accept(0, 1, frame, 0, room()), OUTCOME.AUTH_FAILED);
        assert.equal(clients.receive(0, 0, frame, 0, room()), OUTCOME.AUTH_FAILED);
      }
    });
  }
});
