/**
 * Cuts a random order of messages into batches in which each session comes once.
 *
 * A batch goes through the stages as a whole, so a second message of a session must wait for the
 * next. It waits at the head of the queue, and what comes behind it goes on: the order within a
 * session is kept, and that between sessions changes by a batch.
 *
 * @module
 */

export class MessageOrder {
  /** The sessions of the present batch; `count` of them. */
  readonly sessions: Uint32Array;
  count = 0;
  readonly #order: Uint32Array;
  readonly #taken = new Set<number>();
  #waiting: number[] = [];
  #at = 0;

  /** @param order Sessions, one per message. */
  constructor(order: Uint32Array, batch: number) {
    this.#order = order;
    this.sessions = new Uint32Array(batch);
  }

  /**
   * Forms the next batch of what stands before `end` in the order.
   *
   * @param batch At most as many as in the constructor.
   * @returns Whether there is one.
   */
  next(end: number, batch: number): boolean {
    const taken = this.#taken;
    taken.clear();
    this.count = 0;
    const before = this.#waiting;
    this.#waiting = [];
    for (const session of before) this.#take(session, batch);
    while (this.count < batch && this.#at < end) {
      this.#take(this.#order[this.#at]!, batch);
      this.#at += 1;
    }
    return this.count > 0;
  }

  #take(session: number, batch: number): void {
    if (this.count === batch || this.#taken.has(session)) {
      this.#waiting.push(session);
      return;
    }
    this.#taken.add(session);
    this.sessions[this.count] = session;
    this.count += 1;
  }
}
