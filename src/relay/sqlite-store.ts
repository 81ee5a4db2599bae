/**
 * Frames in SQLite: one file in WAL mode, which one process at a time may have open.
 *
 * Rows are appended at the end of one table, whatever mailbox they are for, so that a group of frames
 * touches few pages; which rows a mailbox has, the relay keeps in memory and reads when it starts.
 *
 * @module
 */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { badInput, HarnessError } from '../core/errors.ts';
import { quoted } from '../core/json.ts';
import type {
  FrameStore,
  KeyShelf,
  KindNumber,
  StoredFrame,
  StoredMailbox,
} from './frame-store.ts';

export const DURABILITIES = ['full', 'normal'] as const;
export type Durability = (typeof DURABILITIES)[number];

/** Words for what an answer promises. */
const PROMISES: Readonly<Record<Durability, string>> = {
  full: 'durable: answered after the commit is on the disk (WAL, synchronous=FULL)',
  normal:
    'not durable: answered after the commit, which outlives the process but may not outlive a loss of power (WAL, synchronous=NORMAL)',
};

const FILE = 'relay.sqlite';
const FORMAT = 1;

/** Pages that the log may have before they are copied to the table: fewer copies of a page written often. */
const CHECKPOINT_PAGES = 4_096;

const SCHEMA = `
  CREATE TABLE facts (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE mailboxes (id INTEGER PRIMARY KEY, token TEXT NOT NULL, last_id INTEGER NOT NULL) STRICT;
  CREATE TABLE frames (
    row INTEGER PRIMARY KEY,
    mailbox INTEGER NOT NULL,
    id INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    sender INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    bytes BLOB NOT NULL
  ) STRICT;
  CREATE TABLE keys (id INTEGER PRIMARY KEY, wrapped BLOB NOT NULL, until_ms REAL NOT NULL) STRICT;
  INSERT INTO facts VALUES ('epoch', 0);
  PRAGMA user_version = ${FORMAT};
`;

export interface SqliteStoreOptions {
  /** Made where it is missing. */
  readonly folder: string;
  readonly durability: Durability;
  /** What seals the frames: a store is opened again with the same only. */
  readonly sealedBy: string;
}

export class SqliteStore implements FrameStore {
  readonly durability: string;
  readonly isGrouped = true;
  readonly keys: SqliteKeys;
  /** For an index that is to be written in the same transactions. */
  readonly database: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #rollback: StatementSync;
  readonly #putMailbox: StatementSync;
  readonly #putFrame: StatementSync;
  readonly #dropFrame: StatementSync;
  readonly #putLastId: StatementSync;
  readonly #dropKeys: StatementSync;
  readonly #read: StatementSync;

  /** @throws HarnessError BAD_INPUT for a folder or file that cannot be used. */
  constructor(options: SqliteStoreOptions) {
    const file = join(options.folder, FILE);
    try {
      // It holds tokens: for its owner only.
      mkdirSync(options.folder, { recursive: true, mode: 0o700 });
      this.database = openDatabase(file, options);
    } catch (error) {
      if (error instanceof HarnessError) throw error;
      throw badInput(`${file}: cannot be used as a store: ${reasonOf(error)}`);
    }
    this.durability = PROMISES[options.durability];
    const { database } = this;
    this.keys = new SqliteKeys(database);
    this.#begin = database.prepare('BEGIN IMMEDIATE');
    this.#commit = database.prepare('COMMIT');
    this.#rollback = database.prepare('ROLLBACK');
    this.#putMailbox = database.prepare('INSERT INTO mailboxes VALUES (?, ?, ?)');
    this.#putFrame = database.prepare('INSERT INTO frames VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.#dropFrame = database.prepare('DELETE FROM frames WHERE row = ?');
    this.#putLastId = database.prepare('UPDATE mailboxes SET last_id = ? WHERE id = ?');
    this.#dropKeys = database.prepare('DELETE FROM keys WHERE until_ms < ?');
    this.#read = database.prepare('SELECT bytes FROM frames WHERE row = ?');
  }

  load(onMailbox: (mailbox: StoredMailbox) => void, onFrame: (frame: StoredFrame) => void): void {
    for (const row of this.database.prepare('SELECT * FROM mailboxes').iterate()) {
      const { id, token, last_id: lastId } = row;
      onMailbox({ id: Number(id), token: String(token), lastId: Number(lastId) });
    }
    const frames = this.database.prepare(
      'SELECT row, mailbox, id, at_ms, sender, kind, length(bytes) AS length FROM frames ORDER BY row',
    );
    for (const row of frames.iterate()) {
      onFrame({
        row: Number(row['row']),
        mailbox: Number(row['mailbox']),
        id: Number(row['id']),
        atMs: Number(row['at_ms']),
        from: Number(row['sender']),
        kind: Number(row['kind']) as KindNumber,
        length: Number(row['length']),
        bytes: undefined,
      });
    }
  }

  begin(): void {
    this.#begin.run();
    this.keys.write();
  }

  commit(): void {
    this.#commit.run();
    this.keys.written();
  }

  rollback(): void {
    // A failed commit may have ended the transaction by itself.
    if (this.database.isTransaction) this.#rollback.run();
  }

  putMailbox({ id, token, lastId }: StoredMailbox): void {
    this.#putMailbox.run(id, token, lastId);
  }

  putFrame({ row, mailbox, id, atMs, from, kind }: StoredFrame, bytes: Uint8Array): void {
    this.#putFrame.run(row, mailbox, id, atMs, from, kind, bytes);
  }

  dropFrame({ row }: StoredFrame): void {
    this.#dropFrame.run(row);
  }

  putLastId(mailbox: number, lastId: number): void {
    this.#putLastId.run(lastId, mailbox);
  }

  dropKeys(untilMs: number): void {
    this.#dropKeys.run(untilMs);
  }

  read({ row }: StoredFrame): Uint8Array {
    return this.#read.get(row)!['bytes'] as Uint8Array;
  }

  close(): void {
    this.database.close();
  }
}

/** Keys wait in memory for the transaction of the frames that they seal. */
class SqliteKeys implements KeyShelf {
  readonly epoch: number;
  readonly #unwritten = new Map<number, { wrapped: Uint8Array; untilMs: number }>();
  readonly #get: StatementSync;
  readonly #put: StatementSync;

  constructor(database: DatabaseSync) {
    const epoch = database.prepare("SELECT value FROM facts WHERE name = 'epoch'").get()!['value'];
    this.epoch = Number(epoch);
    this.#get = database.prepare('SELECT wrapped FROM keys WHERE id = ?');
    this.#put = database.prepare('INSERT OR REPLACE INTO keys VALUES (?, ?, ?)');
  }

  get(id: number): Uint8Array | undefined {
    const unwritten = this.#unwritten.get(id);
    if (unwritten !== undefined) return unwritten.wrapped;
    return this.#get.get(id)?.['wrapped'] as Uint8Array | undefined;
  }

  set(id: number, wrapped: Uint8Array, untilMs: number): void {
    this.#unwritten.set(id, { wrapped, untilMs });
  }

  /** Within a transaction. */
  write(): void {
    for (const [id, { wrapped, untilMs }] of this.#unwritten) this.#put.run(id, wrapped, untilMs);
  }

  /** The transaction holds. After one that does not, the next writes them again. */
  written(): void {
    this.#unwritten.clear();
  }
}

function openDatabase(file: string, { durability, sealedBy }: SqliteStoreOptions): DatabaseSync {
  const database = new DatabaseSync(file);
  try {
    // One process has the file: no lock is taken for a transaction, and the log's index is in memory.
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    database.exec('PRAGMA journal_mode = WAL');
    // What is written here is durable whatever the parameter says.
    database.exec('PRAGMA synchronous = FULL');
    database.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    const version = Number(database.prepare('PRAGMA user_version').get()!['user_version']);
    if (version === 0) create(database, sealedBy);
    else if (version !== FORMAT) {
      throw badInput(`${file}: expected a store of format ${FORMAT}, found format ${version}`);
    }
    checkSealing(database, file, sealedBy);
    // Committed before anything is sealed, so that no two processes count from the same epoch.
    database.exec("UPDATE facts SET value = value + 1 WHERE name = 'epoch'");
    database.exec(`PRAGMA synchronous = ${durability.toUpperCase()}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function create(database: DatabaseSync, sealedBy: string): void {
  database.exec(`BEGIN; ${SCHEMA}`);
  database.prepare("INSERT INTO facts VALUES ('sealed-by', ?)").run(sealedBy);
  database.exec('COMMIT');
}

function checkSealing(database: DatabaseSync, file: string, sealedBy: string): void {
  const row = database.prepare("SELECT value FROM facts WHERE name = 'sealed-by'").get();
  const before = String(row?.['value']);
  if (before === sealedBy) return;
  throw badInput(
    `${file}: expected a store of ${quoted(sealedBy)}, found one of ${quoted(before)}; ` +
      'start the relay with the same pipeline and options, or in another folder',
  );
}

/** SQLite's words, which name neither content nor keys. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /locked|busy/i.test(message) ? 'another process has it open' : message;
}
