/**
 * Who takes part in which session, packed: 4 bytes per member and, for groups, 4 per session.
 *
 * @module
 */

export class PackedMembers {
  /** User ids of all sessions, one after the other. */
  readonly users: Uint32Array;
  /** Where each session begins in `users`, and the end of the last. */
  readonly #offsets: Uint32Array | undefined;
  readonly sessions: number;

  /** @param offsets Left out when every session has two members. */
  constructor(users: Uint32Array, offsets?: Uint32Array) {
    this.users = users;
    this.#offsets = offsets;
    this.sessions = offsets === undefined ? users.length >>> 1 : offsets.length - 1;
  }

  /** How many members `session` has: 2 or more. */
  size(session: number): number {
    if (this.#offsets === undefined) return 2;
    return this.#offsets[session + 1]! - this.#offsets[session]!;
  }

  user(session: number, member: number): number {
    const start = this.#offsets === undefined ? session * 2 : this.#offsets[session]!;
    return this.users[start + member]!;
  }
}
