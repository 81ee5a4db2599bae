/**
 * Connections to a relay that are kept open, and requests that wait for one to be free.
 *
 * undici's `dispatch`, because it takes least of the driver's core: about half of the CPU that
 * `node:http` with an agent takes for the same request. No request is repeated and none is pipelined:
 * what happens to each must be known.
 *
 * @module
 */

import { Client } from 'undici';
import { concatBytes, EMPTY } from '../../core/bytes.ts';

/** Where a relay listens. */
export interface RelayAddress {
  /** `http://127.0.0.1:8080`, or `https://...`. */
  readonly origin: string;
  readonly tls?: {
    /** PEM, of the relay's certificate. */
    readonly certificate: string;
    /** Group of the key exchange, as OpenSSL calls it. */
    readonly group: string;
  };
}

/** One request, and what is told of it. It is told once: `answered` or `failed`. */
export interface RelayRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | null;
  /** A connection was free, and it is being written. */
  begun(): void;
  /** @param body Belongs to whoever is told. */
  answered(status: number, body: Uint8Array): void;
  failed(reason: string): void;
}

/** Longer than any answer of a relay that works, so that a driver ends. */
const ANSWER_MS = 20_000;

export class RelayClient {
  readonly #all: readonly Client[];
  readonly #free: Client[];
  readonly #waiting: RelayRequest[] = [];
  #nextWaiting = 0;

  constructor({ origin, tls }: RelayAddress, connections: number) {
    const connect = tls === undefined ? {} : { connect: connectOptions(tls) };
    this.#all = Array.from(
      { length: connections },
      () =>
        new Client(origin, {
          pipelining: 1,
          headersTimeout: ANSWER_MS,
          bodyTimeout: ANSWER_MS,
          keepAliveTimeout: 600_000,
          ...connect,
        }),
    );
    this.#free = [...this.#all];
  }

  /** Requests that wait for a connection. */
  get waiting(): number {
    return this.#waiting.length - this.#nextWaiting;
  }

  /** At once where a connection is free, else when one is, in the order of the calls. */
  send(request: RelayRequest): void {
    const client = this.#free.pop();
    if (client === undefined) this.#waiting.push(request);
    else this.#dispatch(client, request);
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    await Promise.all(this.#all.map((client) => client.destroy()));
  }

  #dispatch(client: Client, request: RelayRequest): void {
    const { method, path, headers, body } = request;
    request.begun();
    client.dispatch(
      { method, path, headers: headers as string[], body },
      new Answer(request, () => this.#isFree(client)),
    );
  }

  #isFree(client: Client): void {
    if (this.#nextWaiting === this.#waiting.length) {
      this.#waiting.length = 0;
      this.#nextWaiting = 0;
      this.#free.push(client);
      return;
    }
    const request = this.#waiting[this.#nextWaiting]!;
    this.#nextWaiting += 1;
    this.#dispatch(client, request);
  }
}

/** What `tls.connect` is told by whoever connects to a relay over TLS. */
export function connectOptions({ certificate, group }: NonNullable<RelayAddress['tls']>): {
  readonly ca: string;
  readonly ecdhCurve: string;
  readonly minVersion: 'TLSv1.3';
} {
  return { ca: certificate, ecdhCurve: group, minVersion: 'TLSv1.3' };
}

/** Collects one answer. */
class Answer {
  readonly #request: RelayRequest;
  readonly #done: () => void;
  #status = 0;
  #body: Uint8Array = EMPTY;

  constructor(request: RelayRequest, done: () => void) {
    this.#request = request;
    this.#done = done;
  }

  onRequestStart(): void {
    // Counts from when it was handed over.
  }

  onResponseStart(_controller: unknown, status: number): void {
    this.#status = status;
  }

  onResponseData(_controller: unknown, chunk: Uint8Array): void {
    this.#body = this.#body.length === 0 ? chunk : concatBytes(this.#body, chunk);
  }

  onResponseEnd(): void {
    this.#request.answered(this.#status, this.#body);
    this.#done();
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.#request.failed(error.message);
    this.#done();
  }
}
