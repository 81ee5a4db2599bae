/** A relay in this process that does one thing wrong, and ends of a pipeline that do nothing. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { utf8 } from '../../../src/core/bytes.ts';
import type { Ends, MadeFrame } from '../../../src/relay/load/courier.ts';
import type { StartedRelay } from '../../../src/relay/load/under-load.ts';
import {
  FETCHED_HEADER_BYTES,
  HANDED_HEADER_BYTES,
  NO_SENDER,
  putFetchedHeader,
  putHandedHeader,
  readRoute,
} from '../../../src/relay/protocol.ts';
import type { RelaySnapshot } from '../../../src/relay/settings.ts';

export type Plant =
  | 'nothing'
  /** Every so many frames: answered and forgotten. */
  | 'loses'
  /** Fetched again after it was acknowledged. */
  | 'duplicates'
  /** The newest frame of a mailbox comes first. */
  | 'reorders'
  | 'corrupts'
  | 'refuses'
  | 'breaks off'
  | 'two of one id'
  /** Of the hand-over. */
  | 'hands over less'
  | 'hands over twice'
  | 'hands over others';

interface Held {
  readonly id: number;
  readonly bytes: Uint8Array;
}

const EVERY = 7;

export class PlantedRelay implements AsyncDisposable {
  readonly origin: string;
  readonly #server: ReturnType<typeof createServer>;
  readonly #close: () => Promise<void>;

  private constructor(
    origin: string,
    server: ReturnType<typeof createServer>,
    close: () => Promise<void>,
  ) {
    this.origin = origin;
    this.#server = server;
    this.#close = close;
  }

  static async start(plant: Plant): Promise<PlantedRelay> {
    const mailboxes = new Map<number, { held: Held[]; nextId: number }>();
    const streams: ServerResponse[] = [];
    let appended = 0;
    const append = (mailbox: number, from: number, bytes: Uint8Array): number | undefined => {
      const box = mailboxes.get(mailbox);
      if (box === undefined) return undefined;
      appended += 1;
      const isIt = appended % EVERY === 0;
      const id = box.nextId - (plant === 'two of one id' && isIt && box.nextId > 1 ? 1 : 0);
      box.nextId = Math.max(box.nextId, id + 1);
      const held = {
        id,
        bytes: plant === 'corrupts' && isIt ? bytes.map((byte) => byte ^ 1) : bytes,
      };
      if (plant === 'reorders') box.held.unshift(held);
      else if (plant !== 'loses' || !isIt) box.held.push(held);
      for (const stream of streams) {
        const handed = plant === 'hands over others' && isIt ? utf8('another') : bytes;
        const record = new Uint8Array(HANDED_HEADER_BYTES + handed.length);
        putHandedHeader(record, 0, { id, atMs: 0, to: mailbox, from, bytes: handed });
        record.set(handed, HANDED_HEADER_BYTES);
        if (plant === 'hands over less' && isIt) continue;
        stream.write(record);
        if (plant === 'hands over twice' && isIt) stream.write(record);
      }
      return id;
    };
    const answer = (request: IncomingMessage, response: ServerResponse, body: Uint8Array): void => {
      const { resource, mailbox, query } = readRoute(request.url!)!;
      if (resource === 'handover') {
        response.writeHead(200).flushHeaders();
        const targets = query.slice('mailbox='.length).split(',').map(Number);
        streams.push(new Proxy(response, filterFor(targets)));
        return;
      }
      if (resource === 'mailbox') {
        mailboxes.set(mailbox, { held: [], nextId: 1 });
        response.writeHead(201).end();
        return;
      }
      const box = mailboxes.get(mailbox)!;
      if (request.method === 'POST') {
        if (plant === 'breaks off' && appended > 20) {
          request.socket.destroy();
          return;
        }
        if (plant === 'refuses' && appended > 20) {
          response.writeHead(507).end();
          return;
        }
        const from = Number(request.headers['relay-sender'] ?? NO_SENDER);
        response.writeHead(201).end(String(append(mailbox, from, body)));
        return;
      }
      if (request.method === 'GET') {
        response.writeHead(200).end(fetchedBody(box.held));
        return;
      }
      const through = Number(query.slice('through='.length));
      const [again] = box.held;
      box.held = box.held.filter(({ id }) => id > through);
      if (plant === 'duplicates' && again !== undefined && box.held.length === 0) {
        box.held.push(again);
      }
      response.writeHead(204).end();
    };
    const server = createServer((request, response) => {
      const chunks: Uint8Array[] = [];
      request.on('data', (chunk: Uint8Array) => chunks.push(chunk));
      request.on('end', () => answer(request, response, new Uint8Array(Buffer.concat(chunks))));
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return new PlantedRelay(`http://127.0.0.1:${port}`, server, async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
  }

  /** As a relay in a process of its own says that it has started. */
  started(): StartedRelay {
    const { port } = this.#server.address() as AddressInfo;
    return {
      ready: {
        pid: 0,
        host: '127.0.0.1',
        port,
        durability: 'none',
        limits: {} as StartedRelay['ready']['limits'],
        mailboxes: 0,
        frames: 0,
      },
      snapshot: () => Promise.resolve(snapshot()),
      stop: this.#close,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close().catch(() => undefined);
  }
}

/** A stream writes records of its targets only. */
function filterFor(targets: readonly number[]): ProxyHandler<ServerResponse> {
  return {
    get(response, name) {
      if (name !== 'write') return Reflect.get(response, name) as unknown;
      return (record: Uint8Array) => {
        const view = new DataView(record.buffer);
        const [to, from] = [view.getUint32(16), view.getUint32(20)];
        if (targets.includes(to) || targets.includes(from)) response.write(record);
      };
    },
  };
}

function fetchedBody(held: readonly Held[]): Uint8Array {
  const out = new Uint8Array(
    held.reduce((sum, { bytes }) => sum + FETCHED_HEADER_BYTES + bytes.length, 0),
  );
  let at = 0;
  for (const { id, bytes } of held) {
    putFetchedHeader(out, at, id, 0, bytes.length);
    out.set(bytes, at + FETCHED_HEADER_BYTES);
    at += FETCHED_HEADER_BYTES + bytes.length;
  }
  return out;
}

function snapshot(): RelaySnapshot {
  const counts = { registered: 0, appended: 0, fetches: 0, acknowledgements: 0, searches: 0 };
  return {
    atNs: performance.now() * 1e6,
    cpuUserNs: 0,
    cpuSystemNs: 0,
    loopActiveNs: 0,
    rssBytes: 0,
    heapUsedBytes: 0,
    externalBytes: 0,
    counts: {
      ...counts,
      refused: {},
      receivedBytes: 0,
      sentBytes: 0,
    } as unknown as RelaySnapshot['counts'],
  };
}

/** Users 2n and 2n + 1 share session n; a frame is the number of its message. */
export class PlainEnds implements Ends {
  readonly sessions: number;
  readonly users: number;
  readonly isAnonymous: boolean = false;
  readonly relaySecret: Uint8Array = new Uint8Array(0);
  #messages = 0;

  constructor(sessions: number) {
    this.sessions = sessions;
    this.users = sessions * 2;
  }

  usersOf(session: number): readonly [number, number] {
    return [session * 2, session * 2 + 1];
  }

  sessionsOf(user: number): number[] {
    return [Math.floor(user / 2)];
  }

  makeBlock(sessions: Iterable<number>): MadeFrame[] {
    return Array.from(sessions, (session) => {
      const message = this.#messages;
      this.#messages += 1;
      const [from, to] = this.usersOf(session);
      return { message, from, to, kind: 'message' as const, bytes: utf8(`message ${message}`) };
    });
  }

  receive(message: number, frame: Uint8Array): string | undefined {
    return this.#isIt(message, frame) ? undefined : 'it opened to another plaintext';
  }

  isEvidence(): boolean {
    return true;
  }

  recover(message: number, evidence: Uint8Array): 'recovered' | { fault: string } {
    return this.#isIt(message, evidence)
      ? 'recovered'
      : { fault: 'the authority recovered another plaintext' };
  }

  #isIt(message: number, bytes: Uint8Array): boolean {
    return new TextDecoder().decode(bytes) === `message ${message}`;
  }
}
