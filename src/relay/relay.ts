/**
 * A relay from its settings: store, mailboxes, server, and what else was asked for.
 *
 * @module
 */

import { connect } from 'node:tls';
import { DatabaseSync } from 'node:sqlite';
import { badInput } from '../core/errors.ts';
import { makeCertificate, type Certificate } from './certificate.ts';
import type { FrameStore, KeyShelf } from './frame-store.ts';
import { HandOver } from './hand-over.ts';
import { KeywordScan } from './keyword-scan.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { Mailboxes } from './mailboxes.ts';
import { MemoryStore } from './memory-store.ts';
import { bearer, bearerToken, TOKEN_CHARACTERS } from './protocol.ts';
import type { RelayRole } from './role.ts';
import { SearchIndex } from './search-index.ts';
import { RelayServer } from './server.ts';
import type {
  NegotiatedTls,
  RelayCounts,
  RelayReady,
  RelaySettings,
  RelaySnapshot,
} from './settings.ts';
import { SqliteStore } from './sqlite-store.ts';

const EXPIRY_MS = 60_000;

/** What is on its way is answered within this when the relay stops. */
const DRAIN_MS = 5_000;

/** Builds the role, given where its wrapped keys are kept. */
export type OpenRole = (keys: KeyShelf | undefined) => RelayRole;

export interface Relay {
  readonly ready: RelayReady;
  snapshot(): RelaySnapshot;
  /** Takes nothing new, answers and commits what has come, and closes the store. */
  stop(): Promise<void>;
}

/**
 * Starts a relay in this process.
 *
 * @param openRole Left out where frames are opaque.
 * @throws HarnessError BAD_INPUT for a port, a folder or settings that cannot be used; UNAVAILABLE
 *   where TLS is asked for and no certificate can be made.
 */
export async function startRelay(settings: RelaySettings, openRole?: OpenRole): Promise<Relay> {
  requireTokens(settings);
  const limits = { ...DEFAULT_LIMITS, ...settings.limits };
  const certificate = settings.tls === undefined ? undefined : await makeCertificate();
  const store = openStore(settings);
  try {
    const role = openRole?.(store.keys);
    requireReadable(settings, role);
    const mailboxes = new Mailboxes(store, limits);
    const handOver = new HandOver(mailboxes, limits, role);
    const scan = settings.scanWords === undefined ? undefined : new KeywordScan(settings.scanWords);
    const index = settings.search === true ? openIndex(store) : undefined;
    mailboxes.watch({
      onHeld: (frame, stored) => handOver.offer(frame, stored),
      ...(index !== undefined && {
        onWrite: (frame, plaintext) => index.add(frame.row, frame.mailbox, plaintext!),
        onDrop: (row) => index.drop(row),
      }),
    });
    const snapshot = (): RelaySnapshot => readSnapshot(server, mailboxes, handOver, scan);
    const server = new RelayServer({
      mailboxes,
      handOver,
      limits,
      senders: settings.senders,
      authorityToken: settings.authorityToken,
      operatorToken: settings.operatorToken,
      role,
      scan,
      index,
      tls: certificate === undefined ? undefined : { ...certificate, group: settings.tls! },
      statistics: snapshot,
    });
    const port = await listen(server, settings);
    const expiry = setInterval(
      () => mailboxes.expire(Date.now()),
      Math.max(10, Math.min(EXPIRY_MS, limits.lifetimeMs / 4)),
    );
    const ready: RelayReady = {
      pid: process.pid,
      host: settings.host,
      port,
      durability: store.durability,
      limits,
      ...(certificate !== undefined && {
        tls: {
          ...(await negotiate(settings.host, port, certificate)),
          certificate: certificate.certificate,
        },
      }),
      mailboxes: mailboxes.count,
      frames: mailboxes.frames,
    };
    return {
      ready,
      snapshot,
      async stop() {
        clearInterval(expiry);
        await server.drain(DRAIN_MS);
        mailboxes.close();
      },
    };
  } catch (error) {
    store.close();
    throw error;
  }
}

function requireTokens({ authorityToken, operatorToken }: RelaySettings): void {
  for (const [name, token] of Object.entries({ authorityToken, operatorToken })) {
    if (token === undefined || bearerToken(bearer(token)) !== undefined) continue;
    throw badInput(`"${name}" expected ${TOKEN_CHARACTERS} characters of base64url`);
  }
}

function openStore({ store, role }: RelaySettings): FrameStore {
  if (store.kind === 'memory') return new MemoryStore();
  const sealedBy =
    role === undefined || role.options['rest'] === 'none'
      ? 'nothing'
      : `${role.pipeline}:aead=${role.options['aead']},rest=${role.options['rest']}`;
  return new SqliteStore({ folder: store.folder, durability: store.durability, sealedBy });
}

function requireReadable(settings: RelaySettings, role: RelayRole | undefined): void {
  if (settings.scanWords === undefined && settings.search !== true) return;
  if (role?.isReadable === true) return;
  throw badInput(
    'scanning and searching need a pipeline whose relay reads what passes, such as transport or at-rest; this one sees ciphertext',
  );
}

function openIndex(store: FrameStore): SearchIndex {
  return new SearchIndex(
    store instanceof SqliteStore ? store.database : new DatabaseSync(':memory:'),
  );
}

async function listen(server: RelayServer, { host, port }: RelaySettings): Promise<number> {
  try {
    return (await server.listen(port, host)).port;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === 'EADDRINUSE' ? 'another program listens there' : code;
    throw badInput(`cannot listen on ${host}:${port}: ${reason}`);
  }
}

/** What a client and this relay agree on: a connection to itself tells. */
async function negotiate(
  host: string,
  port: number,
  { certificate }: Certificate,
): Promise<NegotiatedTls> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, ca: certificate, servername: 'localhost' }, () => {
      const { name: group } = socket.getEphemeralKeyInfo() as { name?: string };
      const { name: cipher } = socket.getCipher();
      resolve({ protocol: String(socket.getProtocol()), group: String(group), cipher });
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

function readSnapshot(
  { counts, replies, connections }: RelayServer,
  mailboxes: Mailboxes,
  handOver: HandOver,
  scan: KeywordScan | undefined,
): RelaySnapshot {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  const relayCounts: RelayCounts = {
    ...counts,
    handed: handOver.handed,
    refused: { ...replies.refused },
    broken: connections.broken,
    expired: mailboxes.expired,
    commits: mailboxes.commits,
    failedCommits: mailboxes.failures,
    scanHits: scan?.hits ?? 0,
    handOverOverruns: handOver.overruns,
    connections: connections.count,
    acceptedConnections: connections.accepted,
    droppedConnections: connections.dropped,
    tlsHandshakes: connections.tlsHandshakes,
    tlsResumed: connections.tlsResumed,
    receivedBytes: connections.receivedBytes,
    sentBytes: connections.sentBytes,
    mailboxes: mailboxes.count,
    frames: mailboxes.frames,
    frameBytes: mailboxes.bytes,
    targets: handOver.targets,
  };
  return {
    atNs: Number(process.hrtime.bigint()),
    cpuUserNs: user * 1_000,
    cpuSystemNs: system * 1_000,
    loopActiveNs: Math.round(performance.eventLoopUtilization().active * 1e6),
    rssBytes: rss,
    heapUsedBytes: heapUsed,
    externalBytes: external,
    counts: relayCounts,
  };
}
