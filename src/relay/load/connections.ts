/**
 * What a connection costs, and what a message on it: many connections that carry so many messages
 * each, with a full handshake of TLS or with the session of an earlier one resumed.
 *
 * @module
 */

import { connect as connectTcp, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { Client, type buildConnector } from 'undici';
import { HarnessError } from '../../core/errors.ts';
import { SeededRandom } from '../../core/random.ts';
import { nowNs } from '../../measure/clock.ts';
import { processCpuNs } from '../../measure/cpu.ts';
import type { ConnectionFacts } from '../../measure/relay-facts.ts';
import { connectOptions, type RelayAddress } from './client.ts';
import type { Courier } from './courier.ts';
import { framesPath } from '../protocol.ts';
import { appendHeaders, readDecimal, type Append } from './requests.ts';
import type { RelaySpec } from './spec.ts';
import { useBetween, type RelayUnderLoad } from './under-load.ts';

/** Each point is measured in so many turns, in another order each, and the turns are added up. */
const TURNS = 3;
/** A connection counts as so many messages when turns are made about equally long. */
const CONNECTION_AS_MESSAGES = 15;
const CONNECTIONS_MAX = 120;
const CONNECTIONS_MIN = 8;
/** Connections at once: enough that the relay need not wait for the client. */
const AT_ONCE = 4;
/** Until the relay has seen that connections were closed. */
const CLOSING_MS = 30;
/** What a message and a handshake take together, roughly, so that a turn is as long as is asked. */
const MESSAGE_MS = 0.2;

export async function connections(
  courier: Courier,
  relay: RelayUnderLoad,
  spec: RelaySpec,
): Promise<ConnectionFacts> {
  const points = spec.messagesPerConnection!.map((messages) => ({
    messages,
    connections: connectionsFor(messages, spec),
    serverCpuNs: 0,
    clientCpuNs: 0,
    wallNs: 0,
    loopActiveNs: 0,
    carried: 0,
  }));
  const resumed = spec.resumption === true;
  const opener = new Opener(relay.address, resumed);
  if (resumed) await opener.learnSession();
  const random = new SeededRandom(spec.seed, 0x636f_6e6e);
  // The first turn warms both sides up.
  for (let turn = 0; turn <= TURNS; turn++) {
    for (const point of random.shuffle([...points])) {
      const appends = nextAppends(courier, point.messages * point.connections, random);
      const before = await relay.snapshot();
      const cpuBefore = processCpuNs();
      const startedNs = nowNs();
      await carry(courier, opener, appends, point.messages);
      await sleep(CLOSING_MS);
      const clientCpuNs = processCpuNs() - cpuBefore;
      const use = useBetween(before, await relay.snapshot());
      await courier.settle(appends, []);
      if (turn === 0) continue;
      point.serverCpuNs += use.cpuNs;
      point.clientCpuNs += clientCpuNs;
      point.loopActiveNs += use.loopActiveNs;
      point.wallNs += nowNs() - startedNs;
      point.carried += point.connections;
    }
  }
  return {
    resumed,
    messagesPerConnection: points.map(({ messages }) => messages),
    connections: points.map(({ carried }) => carried),
    serverCpuNs: points.map(({ serverCpuNs }) => serverCpuNs),
    clientCpuNs: points.map(({ clientCpuNs }) => clientCpuNs),
    wallNs: points.map(({ wallNs }) => wallNs),
    serverLoopActiveNs: points.map(({ loopActiveNs }) => loopActiveNs),
  };
}

function connectionsFor(messages: number, { timedMs, messagesPerConnection }: RelaySpec): number {
  const turnMs = timedMs / messagesPerConnection!.length;
  const wanted = Math.round(turnMs / MESSAGE_MS / (messages + CONNECTION_AS_MESSAGES));
  return Math.max(CONNECTIONS_MIN, Math.min(CONNECTIONS_MAX, wanted));
}

function nextAppends(courier: Courier, count: number, random: SeededRandom): Append[] {
  const { ends } = courier;
  const sessions = Array.from({ length: count }, () => random.below(ends.sessions));
  return courier.appendsOf(ends.makeBlock(sessions));
}

/** Sends the frames, so many messages over each connection. */
async function carry(
  { tokens, faults }: Courier,
  opener: Opener,
  appends: readonly Append[],
  messages: number,
): Promise<void> {
  const first = appends[0]!.frame.message;
  const byConnection = Map.groupBy(appends, ({ frame }) =>
    Math.floor((frame.message - first) / messages),
  );
  const waiting = byConnection.values();
  const work = async (): Promise<void> => {
    for (const share of waiting) {
      const client = opener.client();
      try {
        for (const append of share) await send(client, append, tokens, faults.add.bind(faults));
        const fault = opener.faultOf(client);
        if (fault !== undefined) faults.add(fault);
      } finally {
        await client.destroy();
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

async function send(
  client: Client,
  { frame, from, kind, bytes }: Append,
  tokens: readonly string[],
  fault: (reason: string) => void,
): Promise<void> {
  frame.beganNs = nowNs();
  try {
    const { statusCode, body } = await client.request({
      method: 'POST',
      path: framesPath(frame.mailbox),
      headers: appendHeaders(from, kind, tokens),
      body: bytes,
    });
    const answer = new Uint8Array(await body.arrayBuffer());
    frame.acknowledgedNs = nowNs();
    if (statusCode === 201) frame.id = readDecimal(answer);
    else fault(`message ${frame.message} was refused with ${statusCode}`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    fault(`message ${frame.message} was not taken: ${reason}`);
  }
}

/** Opens connections of one mode and knows whether they are of it. */
class Opener {
  readonly #address: RelayAddress;
  readonly #resumes: boolean;
  readonly #sockets = new WeakMap<Client, Socket | TLSSocket>();
  /** The newest one: a session of TLS 1.3 is better used once. */
  #session: Buffer | undefined;

  constructor(address: RelayAddress, resumes: boolean) {
    this.#address = address;
    this.#resumes = resumes;
  }

  /** @throws HarnessError for a relay that gives no session. */
  async learnSession(): Promise<void> {
    const socket = this.#connect();
    const isThere = new Promise<boolean>((resolve) => {
      socket.once('session', () => resolve(true));
      socket.once('error', () => resolve(false));
      setTimeout(() => resolve(false), 5_000).unref();
    });
    const found = await isThere;
    socket.destroy();
    if (!found)
      throw new HarnessError('WRONG_RESULT', 'the relay gave no session of TLS to resume');
  }

  client(): Client {
    const client: Client = new Client(this.#address.origin, {
      pipelining: 1,
      connect: (_: buildConnector.Options, done: buildConnector.Callback) => {
        const socket = this.#connect();
        this.#sockets.set(client, socket);
        const event = this.#address.tls === undefined ? 'connect' : 'secureConnect';
        socket.once('error', (error) => done(error, null));
        socket.once(event, () => done(null, socket));
      },
    });
    return client;
  }

  /** @returns What is wrong with a connection that was used; undefined when it is as it must be. */
  faultOf(client: Client): string | undefined {
    const socket = this.#sockets.get(client);
    if (socket === undefined || !('isSessionReused' in socket)) return undefined;
    if (socket.isSessionReused() === this.#resumes) return undefined;
    return this.#resumes
      ? 'a connection made a full handshake, though it was to resume a session'
      : 'a connection resumed a session, though it was to make a full handshake';
  }

  #connect(): Socket | TLSSocket {
    const { origin, tls } = this.#address;
    const { hostname: host, port } = new URL(origin);
    const at = { host, port: Number(port) };
    if (tls === undefined) return connectTcp({ ...at, noDelay: true });
    const socket = connectTls({
      ...at,
      ...connectOptions(tls),
      ...(this.#resumes && this.#session !== undefined ? { session: this.#session } : {}),
    });
    socket.setNoDelay(true);
    if (this.#resumes) socket.on('session', (session) => (this.#session = session));
    return socket;
  }
}
