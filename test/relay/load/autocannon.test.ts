import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, test } from 'node:test';
import {
  closedLoopFault,
  dividedLoop,
  startClosedLoop,
  summedCounts,
  type ClosedLoop,
  type ClosedLoopCounts,
} from '../../../src/relay/load/autocannon.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function listening(answer: RequestListener): Promise<string> {
  const started = createServer({ keepAlive: true }, answer);
  server = started;
  await new Promise<void>((resolve) => void started.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
}

/** @param each Requests in the list of each connection, all different. */
function loopOf(origin: string, connections: number, each: number): ClosedLoop {
  return {
    origin,
    timeoutSeconds: 1,
    requests: Array.from({ length: connections }, (_, connection) =>
      Array.from({ length: each }, (__, index) => ({
        method: 'POST',
        path: `/${connection}/${index}`,
        headers: { 'x-test': 'yes' },
        body: new Uint8Array([connection, index, 255]),
      })),
    ),
  };
}

async function countsOf(loop: ClosedLoop, stopAfterMs?: number): Promise<ClosedLoopCounts> {
  const running = startClosedLoop(loop);
  const timer =
    stopAfterMs === undefined ? undefined : setTimeout(() => running.stop(), stopAfterMs);
  const counts = await running.counts;
  clearTimeout(timer);
  return counts;
}

test('each connection goes through a list of its own, and an amount is sent to the last request', async () => {
  const seen = new Map<string, number>();
  const origin = await listening((request, response) => {
    const chunks: Uint8Array[] = [];
    request.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    request.on('end', () => {
      const key = `${request.method} ${request.url} ${Array.from(Buffer.concat(chunks)).join()}`;
      seen.set(key, (seen.get(key) ?? 0) + 1);
      response.writeHead(201).end('1');
    });
  });
  const counts = await countsOf({ ...loopOf(origin, 3, 4), amount: 24 });
  assert.equal(closedLoopFault(counts, 24), undefined);
  assert.equal(counts.completed, 24);
  assert.deepEqual(counts.statuses, { 201: 24 });
  assert.equal(seen.size, 12, 'each of 3 x 4 requests was seen');
  assert.ok(
    [...seen.values()].every((times) => times === 2),
    'as often as the others',
  );
  assert.ok(seen.has('POST /2/3 2,3,255'), 'with the bytes of its body');
});

test('a server that refuses everything is a fault, though autocannon ends well', async () => {
  const origin = await listening((request, response) => {
    request.resume();
    response.writeHead(request.url === '/0/0' ? 503 : 429).end();
  });
  const counts = await countsOf({ ...loopOf(origin, 2, 2), amount: 8 });
  assert.equal(counts.errors.non2xx, 8);
  assert.match(closedLoopFault(counts)!, /8 refusals \(6 x 429, 2 x 503\)/);
});

test('a server that resets every connection is a fault and ends the loop', async () => {
  const origin = await listening((request) => request.socket.resetAndDestroy());
  const counts = await countsOf(loopOf(origin, 2, 2), 2_000);
  assert.equal(counts.completed, 0);
  assert.ok(counts.errors.connection > 0);
  assert.match(closedLoopFault(counts)!, /^no request was answered: \d+ connection errors/);
});

test('a server that closes connections in place of answers is a fault that autocannon does not see', async () => {
  let requests = 0;
  const origin = await listening((request, response) => {
    request.resume();
    requests += 1;
    if (requests % 2 === 0) request.socket.end();
    else response.writeHead(201).end('1');
  });
  const counts = await countsOf(loopOf(origin, 2, 2), 300);
  assert.equal(counts.errors.connection + counts.errors.timeouts, 0, 'it counts no error itself');
  assert.ok(counts.errors.unanswered > 0);
  assert.match(closedLoopFault(counts)!, /\d+ requests without an answer/);
});

test('a server that is too slow is a fault: what timed out is not left out', async () => {
  const origin = await listening((request, response) => {
    request.resume();
    if (request.url === '/0/0') response.writeHead(201).end('1');
  });
  const counts = await countsOf({ ...loopOf(origin, 1, 2), amount: 3 }, 1_500);
  assert.equal(counts.completed, 2);
  assert.equal(counts.errors.timeouts, 1);
  assert.match(closedLoopFault(counts)!, /timeouts/);
});

test('nothing listening is a fault', async () => {
  const origin = await listening(() => undefined);
  await new Promise((resolve) => server!.close(resolve));
  assert.match(
    closedLoopFault(await countsOf(loopOf(origin, 2, 2), 500))!,
    /no request was answered: \d+ conn/,
  );
});

test('a rate is kept, and what it makes autocannon overcount is put right', async () => {
  let requests = 0;
  const origin = await listening((request, response) => {
    request.resume();
    requests += 1;
    response.writeHead(201).end('1');
  });
  const counts = await countsOf({ ...loopOf(origin, 2, 2), ratePerSecond: 20 }, 700);
  assert.ok(requests <= 20, `${requests} requests in less than a second`);
  assert.equal(counts.completed, requests);
  assert.equal(closedLoopFault(counts), undefined);
});

test('what autocannon would cut down without a word is refused', () => {
  const loop = loopOf('http://127.0.0.1:1', 4, 1);
  assert.throws(() => startClosedLoop({ ...loop, amount: 3 }), /"amount".*4 connections, got 3/);
  assert.throws(() => startClosedLoop({ ...loop, ratePerSecond: 2 }), /"ratePerSecond".*got 2/);
  assert.throws(() => startClosedLoop({ ...loop, amount: 10.5 }), /got 10\.5/);
  assert.throws(() => startClosedLoop({ ...loop, requests: [] }), /"requests"/);
  assert.throws(() => startClosedLoop({ ...loop, requests: [[]] }), /none of them empty/);
});

test('the shares of several processes are the whole, and a rest is refused', () => {
  const loop = { ...loopOf('http://127.0.0.1:1', 4, 1), ratePerSecond: 100, amount: 12 };
  const shares = dividedLoop(loop, 2);
  assert.deepEqual(
    shares.map(({ requests, ratePerSecond, amount }) => [requests.length, ratePerSecond, amount]),
    [
      [2, 50, 6],
      [2, 50, 6],
    ],
  );
  assert.deepEqual(
    shares.flatMap(({ requests }) => requests),
    loop.requests,
  );
  assert.throws(() => dividedLoop(loop, 3), /"requests" expected a multiple of 3 processes, got 4/);
  assert.throws(() => dividedLoop({ ...loop, amount: 13 }, 2), /"amount"/);
  assert.throws(() => dividedLoop({ ...loop, ratePerSecond: 33 }, 2), /"ratePerSecond"/);
});

test('counts of several processes add up', () => {
  const errors = { connection: 1, timeouts: 0, mismatches: 0, non2xx: 2, unanswered: 3 };
  const one = { completed: 5, bytesRead: 7, errors, statuses: { 201: 3, 429: 2 } };
  assert.deepEqual(summedCounts([one, { ...one, statuses: { 200: 5 } }]), {
    completed: 10,
    bytesRead: 14,
    errors: { connection: 2, timeouts: 0, mismatches: 0, non2xx: 4, unanswered: 6 },
    statuses: { 200: 5, 201: 3, 429: 2 },
  });
});
