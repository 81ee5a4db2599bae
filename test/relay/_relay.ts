/** A relay in this process and a client that speaks to it over a real socket. */

import { once } from 'node:events';
import { Agent, request, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import {
  acknowledgePath,
  bearer,
  fetchPath,
  framesPath,
  KIND_HEADER,
  mailboxPath,
  readFetched,
  SENDER_HEADER,
  TOKEN_CHARACTERS,
  type FetchedFrame,
} from '../../src/relay/protocol.ts';
import { startRelay, type OpenRole, type Relay } from '../../src/relay/relay.ts';
import type { RelaySettings } from '../../src/relay/settings.ts';

export const SETTINGS: RelaySettings = {
  host: '127.0.0.1',
  port: 0,
  store: { kind: 'memory' },
  senders: 'named',
};

/** The token of a device in tests. */
export function tokenOf(device: number | string): string {
  return `device-${device}`.padEnd(TOKEN_CHARACTERS, '_');
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export class Client {
  readonly port: number;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(port: number) {
    this.port = port;
  }

  async ask(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: Uint8Array | string,
  ): Promise<Answer> {
    const { port } = this;
    const outgoing = request({
      host: '127.0.0.1',
      port,
      method,
      path,
      headers,
      agent: this.#agent,
    });
    outgoing.end(body);
    const [incoming] = (await once(outgoing, 'response')) as [
      AsyncIterable<Buffer> & { statusCode: number; headers: IncomingHttpHeaders },
    ];
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    return {
      status: incoming.statusCode,
      headers: incoming.headers,
      body: Buffer.concat(chunks),
    };
  }

  register(mailbox: number, token: string = tokenOf(mailbox)): Promise<Answer> {
    return this.ask('PUT', mailboxPath(mailbox), { authorization: bearer(token) });
  }

  append(from: number, to: number, frame: Uint8Array | string, kind = 'message'): Promise<Answer> {
    const headers = {
      authorization: bearer(tokenOf(from)),
      [SENDER_HEADER]: String(from),
      [KIND_HEADER]: kind,
    };
    return this.ask('POST', framesPath(to), headers, frame);
  }

  fetch(mailbox: number, max?: number): Promise<Answer> {
    return this.ask('GET', fetchPath(mailbox, max), { authorization: bearer(tokenOf(mailbox)) });
  }

  async frames(mailbox: number, max?: number): Promise<FetchedFrame[]> {
    return readFetched((await this.fetch(mailbox, max)).body);
  }

  /** What waits in a mailbox, as texts. */
  async texts(mailbox: number): Promise<string[]> {
    return (await this.frames(mailbox)).map(({ bytes }) => Buffer.from(bytes).toString());
  }

  acknowledge(mailbox: number, through: number): Promise<Answer> {
    const headers = { authorization: bearer(tokenOf(mailbox)) };
    return this.ask('DELETE', acknowledgePath(mailbox, through), headers);
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Runs `use` with a relay and a client, and stops both whatever happens. */
export async function withRelay<T>(
  settings: Partial<RelaySettings>,
  use: (client: Client, relay: Relay) => Promise<T>,
  openRole?: OpenRole,
): Promise<T> {
  const relay = await startRelay({ ...SETTINGS, ...settings }, openRole);
  const client = new Client(relay.ready.port);
  try {
    return await use(client, relay);
  } finally {
    client.close();
    await relay.stop();
  }
}

/** Sends bytes as they are and reads until the other side closes. */
export async function raw(port: number, ...pieces: readonly string[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
  socket.on('error', () => undefined);
  for (const piece of pieces) socket.write(piece, 'latin1');
  await once(socket, 'close');
  return text;
}
