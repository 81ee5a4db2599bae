/**
 * What goes back over a connection: answers, refusals, and what becomes of the connection after them.
 *
 * @module
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Problem } from './answer.ts';
import type { Connections } from './connections.ts';

/** Of the body of a refused request, more than its frame could have had is not read. */
const DISCARDED_BYTES_MAX = 1024 * 1024;

export class Replies {
  /** Answers with 4xx or 5xx, by status. */
  readonly refused: Record<string, number> = {};
  /** Set when the server stops: then every answer is the last of its connection. */
  isDraining = false;
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  answer(response: ServerResponse, status: number, body?: string | Buffer, type?: string): void {
    const headers = type === undefined ? [] : ['content-type', type];
    if (status !== 204) headers.push('content-length', String(body?.length ?? 0));
    this.#end(response, status, headers, body);
  }

  refuse(request: IncomingMessage, response: ServerResponse, problem: Problem): void {
    this.refused[problem.status] = (this.refused[problem.status] ?? 0) + 1;
    if (response.headersSent) {
      response.destroy();
      return;
    }
    this.#end(response, problem.status, [...problem.headers], problem.body);
    discardBody(request);
  }

  #end(
    response: ServerResponse,
    status: number,
    headers: string[],
    body: string | Buffer | undefined,
  ): void {
    const isLast = this.#connections.answered(response.req) || this.isDraining;
    if (isLast) headers.push('connection', 'close');
    response.writeHead(status, headers);
    response.end(body);
  }
}

/** Reads on, so that the client gets to read its answer, but not for ever. */
function discardBody(request: IncomingMessage): void {
  if (request.complete) return;
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > DISCARDED_BYTES_MAX) request.destroy();
  });
}
