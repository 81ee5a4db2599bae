/**
 * The relay's HTTP server: who may do what, and in which order a request is judged. It imports no
 * cryptography; what is readable it hands to a role.
 *
 * A request is judged by its path, its method, its token, its mailbox and its size, in this order; a
 * change is answered after the commit that it is in.
 *
 * @module
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { NOT_ALLOWED, PROBLEMS, type Problem } from './answer.ts';
import type { Certificate } from './certificate.ts';
import { Connections } from './connections.ts';
import { FrameBody } from './frame-body.ts';
import type { KindNumber } from './frame-store.ts';
import type { HandOver } from './hand-over.ts';
import type { KeywordScan } from './keyword-scan.ts';
import type { RelayLimits } from './limits.ts';
import { Mailbox } from './mailbox.ts';
import { REFUSED, type Mailboxes } from './mailboxes.ts';
import { ownMailbox, problemOfToken, senderOf } from './permission.ts';
import {
  bearerToken,
  FETCH_BYTES,
  FETCH_FRAMES_DEFAULT,
  FETCH_FRAMES_MAX,
  FETCHED_HEADER_BYTES,
  FRAME_ID_MAX,
  FRAME_KINDS,
  FRAME_MEDIA_TYPE,
  KIND_HEADER,
  MAILBOX_ID_MAX,
  putFetchedHeader,
  queryValue,
  readId,
  readRoute,
  type Route,
} from './protocol.ts';
import { Replies } from './replies.ts';
import type { RelayRole } from './role.ts';
import type { SearchIndex } from './search-index.ts';
import type { RelaySettings, TlsGroup } from './settings.ts';
import { isSameToken } from './token.ts';

const HANDSHAKE_MS = 10_000;

export interface RelayParts {
  readonly mailboxes: Mailboxes;
  readonly handOver: HandOver;
  readonly limits: RelayLimits;
  readonly senders: RelaySettings['senders'];
  readonly authorityToken: string | undefined;
  readonly operatorToken: string | undefined;
  readonly role: RelayRole | undefined;
  readonly scan: KeywordScan | undefined;
  readonly index: SearchIndex | undefined;
  readonly tls: (Certificate & { readonly group: TlsGroup }) | undefined;
  /** What the operator is shown. */
  readonly statistics: () => unknown;
}

export class RelayServer {
  readonly connections = new Connections();
  readonly replies = new Replies(this.connections);
  readonly counts = {
    registered: 0,
    appended: 0,
    fetches: 0,
    fetched: 0,
    acknowledgements: 0,
    acknowledged: 0,
    searches: 0,
  };
  readonly #parts: RelayParts;
  readonly #server: Server;
  readonly #scratch: Uint8Array;

  constructor(parts: RelayParts) {
    this.#parts = parts;
    const { limits, role } = parts;
    this.#scratch = new Uint8Array(limits.frameBytes + 2 * (role?.roomBytes ?? 0));
    this.#server = makeServer(parts);
    this.#server.maxConnections = limits.connections;
    this.#server.on('request', this.#onRequest);
    // Judged before the client sends the body: `Expect: 100-continue`.
    this.#server.on('checkContinue', this.#onRequest);
    this.connections.watch(this.#server);
  }

  /** @throws Error where the address cannot be had. */
  async listen(port: number, host: string): Promise<AddressInfo> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ port, host, backlog: 1024 }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    return this.#server.address() as AddressInfo;
  }

  /** Takes no connection any more, answers what has come, and ends; at the latest after `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    this.replies.isDraining = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#parts.handOver.close();
    const timer = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(timer);
  }

  readonly #onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    this.connections.requested(request);
    try {
      this.#route(request, response);
    } catch {
      // What a request makes fail is that request, and not the relay.
      this.replies.refuse(request, response, PROBLEMS.failed);
    }
  };

  #route(request: IncomingMessage, response: ServerResponse): void {
    const route = readRoute(request.url!);
    if (route === undefined) {
      this.replies.refuse(request, response, PROBLEMS.noSuchPath);
      return;
    }
    const { method } = request;
    const { resource } = route;
    if (resource === 'frames') {
      if (method === 'POST') this.#append(request, response, route);
      else if (method === 'GET') this.#fetch(request, response, route);
      else if (method === 'DELETE') this.#acknowledge(request, response, route);
      else this.replies.refuse(request, response, NOT_ALLOWED.frames);
    } else if (resource === 'mailbox') {
      if (method === 'PUT') this.#register(request, response, route);
      else this.replies.refuse(request, response, NOT_ALLOWED.mailbox);
    } else if (method !== 'GET') {
      this.replies.refuse(request, response, NOT_ALLOWED[resource]);
    } else if (resource === 'search') {
      this.#search(request, response, route);
    } else if (resource === 'handover') {
      this.#handOver(request, response, route);
    } else {
      this.#statistics(request, response);
    }
  }

  #register(request: IncomingMessage, response: ServerResponse, { mailbox: id }: Route): void {
    const token = bearerToken(request.headers.authorization);
    if (Number.isNaN(id)) return this.replies.refuse(request, response, PROBLEMS.noSuchMailbox);
    if (token === undefined) return this.replies.refuse(request, response, PROBLEMS.noToken);
    request.resume();
    const mailbox = this.#parts.mailboxes.get(id);
    if (mailbox !== undefined) {
      if (isSameToken(token, mailbox.token)) this.replies.answer(response, 200);
      else this.replies.refuse(request, response, PROBLEMS.taken);
      return undefined;
    }
    this.#parts.mailboxes.register(id, token, (outcome) => {
      if (outcome < 0) return this.replies.refuse(request, response, problemOf(outcome));
      this.counts.registered += 1;
      return this.replies.answer(response, 201);
    });
    return undefined;
  }

  #append(request: IncomingMessage, response: ServerResponse, route: Route): void {
    const { headers } = request;
    const { mailboxes, limits } = this.#parts;
    const from = senderOf(headers, this.#parts.senders, mailboxes);
    if (typeof from !== 'number') return this.replies.refuse(request, response, from);
    const mailbox = mailboxes.get(route.mailbox);
    if (mailbox === undefined)
      return this.replies.refuse(request, response, PROBLEMS.noSuchMailbox);
    if (route.query !== '') return this.replies.refuse(request, response, PROBLEMS.badQuery);
    const kind = kindOf(headers[KIND_HEADER]);
    if (kind === undefined) return this.replies.refuse(request, response, PROBLEMS.badHeader);
    // The length is absent where the body comes in chunks; what comes is counted as well.
    const declared = Number(headers['content-length'] ?? 0);
    if (declared > limits.frameBytes)
      return this.replies.refuse(request, response, PROBLEMS.tooLong);
    if (headers.expect !== undefined) response.writeContinue();

    const body = new FrameBody(limits.frameBytes, declared);
    request.on('data', (chunk: Buffer) => {
      if (response.headersSent || body.add(chunk)) return;
      this.replies.refuse(request, response, PROBLEMS.tooLong);
    });
    request.on('end', () => {
      if (response.headersSent) return;
      try {
        this.#store(request, response, mailbox, from, kind, body.bytes);
      } catch {
        this.replies.refuse(request, response, PROBLEMS.failed);
      }
    });
    return undefined;
  }

  #store(
    request: IncomingMessage,
    response: ServerResponse,
    mailbox: Mailbox,
    from: number,
    kind: KindNumber,
    frame: Uint8Array,
  ): void {
    if (frame.length === 0) return this.replies.refuse(request, response, PROBLEMS.badFrame);
    const { mailboxes, role, scan, index } = this.#parts;
    const refusal = mailboxes.refusal(mailbox, kind, frame.length);
    if (refusal < 0) return this.replies.refuse(request, response, problemOf(refusal));
    const atMs = Date.now();
    let stored = frame;
    if (role !== undefined) {
      const length = role.accept(from, mailbox.id, frame, atMs, this.#scratch);
      if (length < 0) return this.replies.refuse(request, response, PROBLEMS.badFrame);
      stored = this.#scratch.slice(0, length);
    }
    scan?.look(frame);
    const done = (outcome: number): void => {
      if (outcome < 0) return this.replies.refuse(request, response, problemOf(outcome));
      this.counts.appended += 1;
      return this.replies.answer(response, 201, String(outcome));
    };
    const plaintext = index === undefined ? undefined : frame;
    return mailboxes.append(mailbox, from, kind, stored, atMs, done, plaintext);
  }

  #fetch(request: IncomingMessage, response: ServerResponse, route: Route): void {
    const mailbox = this.#owned(request, response, route);
    if (mailbox === undefined) return undefined;
    const max =
      route.query === ''
        ? FETCH_FRAMES_DEFAULT
        : readId(queryValue(route.query, 'max') ?? '', 1, FETCH_FRAMES_MAX);
    if (Number.isNaN(max)) return this.replies.refuse(request, response, PROBLEMS.badQuery);
    const { mailboxes, role } = this.#parts;
    const nowMs = Date.now();
    const parts: Uint8Array[] = [];
    let bytes = 0;
    let frames = 0;
    for (let i = 0; i < mailbox.waiting.length && frames < max && bytes < FETCH_BYTES; i++) {
      const frame = mailbox.waiting.at(i);
      if (mailboxes.isExpired(frame, nowMs)) continue;
      let delivered = mailboxes.read(frame);
      if (role !== undefined) {
        const length = role.deliver(mailbox.id, delivered, nowMs, this.#scratch);
        if (length < 0) return this.replies.refuse(request, response, PROBLEMS.unreadable);
        delivered = this.#scratch.slice(0, length);
      }
      const header = new Uint8Array(FETCHED_HEADER_BYTES);
      putFetchedHeader(header, 0, frame.id, frame.atMs, delivered.length);
      parts.push(header, delivered);
      bytes += FETCHED_HEADER_BYTES + delivered.length;
      frames += 1;
    }
    this.counts.fetches += 1;
    this.counts.fetched += frames;
    return this.replies.answer(response, 200, Buffer.concat(parts, bytes), FRAME_MEDIA_TYPE);
  }

  #acknowledge(request: IncomingMessage, response: ServerResponse, route: Route): void {
    const mailbox = this.#owned(request, response, route);
    if (mailbox === undefined) return undefined;
    const through = readId(queryValue(route.query, 'through') ?? '', 1, FRAME_ID_MAX);
    if (Number.isNaN(through)) return this.replies.refuse(request, response, PROBLEMS.badQuery);
    return this.#parts.mailboxes.acknowledge(mailbox, through, (outcome) => {
      if (outcome < 0) return this.replies.refuse(request, response, problemOf(outcome));
      this.counts.acknowledgements += 1;
      this.counts.acknowledged += outcome;
      return this.replies.answer(response, 204);
    });
  }

  #search(request: IncomingMessage, response: ServerResponse, route: Route): void {
    const { index } = this.#parts;
    if (index === undefined) return this.replies.refuse(request, response, PROBLEMS.noSuchPath);
    const mailbox = this.#owned(request, response, route);
    if (mailbox === undefined) return undefined;
    const phrase = decoded(queryValue(route.query, 'word'));
    if (phrase === undefined) return this.replies.refuse(request, response, PROBLEMS.badQuery);
    const rows = new Set(index.find(mailbox.id, phrase, FETCH_FRAMES_MAX));
    const ids: number[] = [];
    for (let i = 0; i < mailbox.waiting.length; i++) {
      const { row, id } = mailbox.waiting.at(i);
      if (rows.has(row)) ids.push(id);
    }
    this.counts.searches += 1;
    return this.replies.answer(response, 200, JSON.stringify(ids), 'application/json');
  }

  #handOver(request: IncomingMessage, response: ServerResponse, route: Route): void {
    const { authorityToken, handOver, mailboxes } = this.#parts;
    const problem = problemOfToken(request.headers, authorityToken);
    if (problem !== undefined) return this.replies.refuse(request, response, problem);
    const ids = (queryValue(route.query, 'mailbox') ?? '').split(',');
    const numbers = new Set(ids.map((id) => readId(id, 0, MAILBOX_ID_MAX)));
    if (numbers.has(NaN)) return this.replies.refuse(request, response, PROBLEMS.badQuery);
    if (!handOver.allows(numbers)) {
      return this.replies.refuse(request, response, PROBLEMS.tooManyTargets);
    }
    const targets = [...numbers].map((id) => mailboxes.get(id));
    if (targets.includes(undefined)) {
      return this.replies.refuse(request, response, PROBLEMS.noSuchMailbox);
    }
    this.connections.answered(request);
    return handOver.open(targets as Mailbox[], response);
  }

  #statistics(request: IncomingMessage, response: ServerResponse): void {
    const { operatorToken, statistics } = this.#parts;
    const problem = problemOfToken(request.headers, operatorToken);
    if (problem !== undefined) return this.replies.refuse(request, response, problem);
    return this.replies.answer(response, 200, JSON.stringify(statistics()), 'application/json');
  }

  /** The mailbox, where the request has its device's token; else the request is refused. */
  #owned(request: IncomingMessage, response: ServerResponse, route: Route): Mailbox | undefined {
    const own = ownMailbox(request.headers, this.#parts.mailboxes.get(route.mailbox));
    if (own instanceof Mailbox) return own;
    this.replies.refuse(request, response, own);
    return undefined;
  }
}

function makeServer({ limits, tls }: RelayParts): Server {
  const options = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: Math.max(limits.requestMs, limits.headersMs),
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.max(100, Math.min(1_000, limits.headersMs / 4)),
    noDelay: true,
  };
  if (tls === undefined) return createServer(options);
  return createTlsServer({
    ...options,
    key: tls.key,
    cert: tls.certificate,
    minVersion: 'TLSv1.3',
    ecdhCurve: tls.group,
    handshakeTimeout: HANDSHAKE_MS,
    ALPNProtocols: ['http/1.1'],
  });
}

function kindOf(header: string | string[] | undefined): KindNumber | undefined {
  if (header === undefined) return 0;
  const number = FRAME_KINDS.findIndex((kind) => kind === header);
  return number === -1 ? undefined : (number as KindNumber);
}

function problemOf(outcome: number): Problem {
  switch (outcome) {
    case REFUSED.mailboxFull:
      return PROBLEMS.mailboxFull;
    case REFUSED.relayFull:
      return PROBLEMS.relayFull;
    case REFUSED.taken:
      return PROBLEMS.taken;
    default:
      return PROBLEMS.notWritten;
  }
}

/** Not empty, and of bounded length: it becomes a query of the index. */
function decoded(word: string | undefined): string | undefined {
  if (word === undefined || word === '' || word.length > 400) return undefined;
  try {
    return decodeURIComponent(word);
  } catch {
    return undefined;
  }
}
