import type { DatabaseSync, StatementSync } from 'node:sqlite';

/**
 * Full-text search for a device over what waits in its mailbox, with SQLite's FTS5. The index holds
 * words in the clear, whatever seals the store. It is no part of removing a protection.
 */
export class SearchIndex {
  readonly #decoder = new TextDecoder();
  readonly #add: StatementSync;
  readonly #drop: StatementSync;
  readonly #find: StatementSync;

  /** @param database Of the store, so that both change in one transaction; or one in memory. */
  constructor(database: DatabaseSync) {
    database.exec(
      "CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(mailbox, text, content='', contentless_delete=1)",
    );
    this.#add = database.prepare('INSERT INTO words(rowid, mailbox, text) VALUES (?, ?, ?)');
    this.#drop = database.prepare('DELETE FROM words WHERE rowid = ?');
    this.#find = database.prepare(
      'SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid LIMIT ?',
    );
  }

  add(row: number, mailbox: number, plaintext: Uint8Array): void {
    this.#add.run(row, `m${mailbox}`, this.#decoder.decode(plaintext));
  }

  drop(row: number): void {
    this.#drop.run(row);
  }

  /** Rows of the mailbox's frames with this word or phrase, oldest first. */
  find(mailbox: number, phrase: string, max: number): number[] {
    // A string in FTS5: a quotation mark within is doubled, so nothing in it is syntax.
    const quotedPhrase = `"${phrase.replaceAll('"', '""')}"`;
    const query = `mailbox : m${mailbox} AND text : ${quotedPhrase}`;
    return this.#find.all(query, max).map((row) => Number(row['rowid']));
  }
}
