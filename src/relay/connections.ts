/**
 * The connections of a relay: how many there are and were, what passed over them, and what becomes of
 * one on which something arrives that is no request.
 *
 * @module
 */

import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** Requests of a connection that are not answered yet; undefined before its first. */
const UNANSWERED: unique symbol = Symbol('unanswered');
/** The newest of them. */
const NEWEST: unique symbol = Symbol('newest');
/** Set when what came after them was no request. */
const IS_BROKEN: unique symbol = Symbol('is broken');

interface Tracked extends Socket {
  [UNANSWERED]?: number;
  [NEWEST]?: IncomingMessage;
  [IS_BROKEN]?: boolean;
}

/** What is told of input that Node's parser refuses, by its code. */
const STATUS_LINES: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Content Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

export class Connections {
  readonly #open = new Set<Socket>();
  accepted = 0;
  dropped = 0;
  broken = 0;
  tlsHandshakes = 0;
  tlsResumed = 0;
  #receivedBytes = 0;
  #sentBytes = 0;

  watch(server: Server): void {
    server.on('connection', (socket: Socket) => this.#onConnection(socket));
    server.on('drop', () => (this.dropped += 1));
    server.on('secureConnection', (socket: TLSSocket) => {
      this.tlsHandshakes += 1;
      if (socket.isSessionReused()) this.tlsResumed += 1;
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      this.#onClientError(error, socket);
    });
  }

  get count(): number {
    return this.#open.size;
  }

  get receivedBytes(): number {
    return this.#sum('bytesRead', this.#receivedBytes);
  }

  get sentBytes(): number {
    return this.#sum('bytesWritten', this.#sentBytes);
  }

  /** A request has come. */
  requested(request: IncomingMessage): void {
    const tracked: Tracked = request.socket;
    tracked[NEWEST] = request;
    tracked[UNANSWERED] = (tracked[UNANSWERED] ?? 0) + 1;
  }

  /** It is being answered. @returns Whether the connection is to end after that. */
  answered(request: IncomingMessage): boolean {
    const tracked: Tracked = request.socket;
    const unanswered = (tracked[UNANSWERED] ?? 1) - 1;
    tracked[UNANSWERED] = unanswered;
    return tracked[IS_BROKEN] === true && unanswered === 0;
  }

  #onConnection(socket: Socket): void {
    this.accepted += 1;
    this.#open.add(socket);
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#receivedBytes += socket.bytesRead;
      this.#sentBytes += socket.bytesWritten;
    });
  }

  #onClientError(error: NodeJS.ErrnoException, socket: Tracked): void {
    this.broken += 1;
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    // One whose body is what broke never ends, and is not waited for.
    const unanswered = (socket[UNANSWERED] ?? 0) - (socket[NEWEST]?.complete === false ? 1 : 0);
    socket[UNANSWERED] = unanswered;
    if (unanswered > 0 && error.code?.startsWith('HPE_') === true) {
      // What came before is answered first: a frame that was taken is not to look refused.
      socket[IS_BROKEN] = true;
      return;
    }
    const status = STATUS_LINES[error.code ?? ''] ?? '400 Bad Request';
    socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, () =>
      socket.destroy(),
    );
  }

  #sum(name: 'bytesRead' | 'bytesWritten', before: number): number {
    let sum = before;
    for (const socket of this.#open) sum += socket[name];
    return sum;
  }
}
