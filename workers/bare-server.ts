/**
 * Child process: a bare server of the platform that reads the bodies that a relay reads and answers as
 * many bytes, and does nothing else. What a relay costs is set beside it.
 *
 * @module
 */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** As long as the numbers of frames that a relay answers under such a load. */
const ANSWER = '12345';
const HEADERS = ['content-length', String(ANSWER.length)];

let requests = 0;

const server = createServer({ noDelay: true, keepAliveTimeout: 60_000 }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    requests += 1;
    response.writeHead(201, HEADERS);
    response.end(ANSWER);
  });
});

server.listen(0, '127.0.0.1', () => {
  process.send!({ port: (server.address() as AddressInfo).port });
});
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  const atNs = Number(process.hrtime.bigint());
  const loopActiveNs = performance.eventLoopUtilization().active * 1e6;
  process.send!({ atNs, cpuNs: (user + system) * 1_000, loopActiveNs, requests });
});
process.on('disconnect', () => process.exit());
