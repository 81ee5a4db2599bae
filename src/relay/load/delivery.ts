/**
 * The account of what went through a relay: every frame that was sent is fetched once, by its device,
 * in an order that the relay may give.
 *
 * The order that a relay owes: a frame whose sending began when another had been acknowledged comes
 * after that one. Frames that were on their way at the same time may come in any order.
 *
 * @module
 */

/** One frame that devices fetch. */
export interface SentFrame {
  readonly mailbox: number;
  /** Of its message, for faults; frames of one message have one number. */
  readonly message: number;
  /** As the relay answered; 0 where it has not. */
  id: number;
  /** When its sending began, and when the relay's answer was there. */
  beganNs: number;
  acknowledgedNs: number;
}

/** One frame as a device got it. */
export interface Fetched {
  readonly mailbox: number;
  readonly id: number;
  readonly bytes: Uint8Array;
}

/** Faults are worded for the first few; the rest is counted. */
const WORDED_MAX = 10;

export class Faults {
  readonly first: string[] = [];
  count = 0;

  add(reason: string): void {
    this.count += 1;
    if (this.first.length < WORDED_MAX) this.first.push(reason);
  }

  /** One sentence; undefined without a fault. */
  get reason(): string | undefined {
    const [first] = this.first;
    if (first === undefined) return undefined;
    return this.count === 1 ? first : `${first} (and ${this.count - 1} more)`;
  }
}

/** Keeps the account of one run. Frames are added as they are sent, and taken out when settled. */
export class Account {
  readonly faults: Faults;
  /** By mailbox, then by id. */
  readonly #open = new Map<number, Map<number, SentFrame>>();
  /** By mailbox: the id and the latest beginning of what was fetched, over all settlements. */
  readonly #last = new Map<number, { id: number; beganNs: number }>();
  /** Frames of earlier settlements, to tell a duplicate from a frame that nobody sent. */
  readonly #settled = new Map<number, Set<number>>();

  constructor(faults: Faults) {
    this.faults = faults;
  }

  /**
   * Matches what devices fetched with what was sent and acknowledged.
   *
   * @param fetched In the order in which each device got it.
   * @returns Each frame that was delivered as it must be, once, with its bytes.
   */
  settle(
    sent: readonly SentFrame[],
    fetched: readonly Fetched[],
  ): { readonly frame: SentFrame; readonly bytes: Uint8Array }[] {
    for (const frame of sent) this.#add(frame);
    const delivered: { frame: SentFrame; bytes: Uint8Array }[] = [];
    for (const { mailbox, id, bytes } of fetched) {
      const frame = this.#open.get(mailbox)?.get(id);
      if (frame === undefined) {
        const what = this.#settled.get(mailbox)?.has(id) === true ? 'twice' : 'that nobody sent';
        this.faults.add(`mailbox ${mailbox}: frame ${id} was delivered ${what}`);
        continue;
      }
      this.#open.get(mailbox)!.delete(id);
      this.#settle(mailbox, id);
      this.#checkOrder(frame);
      delivered.push({ frame, bytes });
    }
    for (const [mailbox, frames] of this.#open) {
      for (const { id, message } of frames.values()) {
        this.faults.add(
          `mailbox ${mailbox}: frame ${id} of message ${message} was acknowledged and not delivered`,
        );
      }
    }
    this.#open.clear();
    return delivered;
  }

  #add(frame: SentFrame): void {
    const { mailbox, id, message } = frame;
    if (id === 0) {
      this.faults.add(`mailbox ${mailbox}: a frame of message ${message} was not acknowledged`);
      return;
    }
    let frames = this.#open.get(mailbox);
    if (frames === undefined) {
      frames = new Map();
      this.#open.set(mailbox, frames);
    }
    if (frames.has(id) || this.#settled.get(mailbox)?.has(id) === true) {
      this.faults.add(`mailbox ${mailbox}: two frames were given the id ${id}`);
    }
    frames.set(id, frame);
  }

  #settle(mailbox: number, id: number): void {
    let ids = this.#settled.get(mailbox);
    if (ids === undefined) {
      ids = new Set();
      this.#settled.set(mailbox, ids);
    }
    ids.add(id);
  }

  #checkOrder({ mailbox, id, message, beganNs, acknowledgedNs }: SentFrame): void {
    const last = this.#last.get(mailbox);
    if (last === undefined) {
      this.#last.set(mailbox, { id, beganNs });
      return;
    }
    if (acknowledgedNs < last.beganNs) {
      this.faults.add(
        `mailbox ${mailbox}: frame ${id} of message ${message} was acknowledged before one was sent ` +
          'that was delivered before it',
      );
    }
    last.id = id;
    last.beganNs = Math.max(last.beganNs, beganNs);
  }
}
