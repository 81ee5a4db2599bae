/**
 * All mailboxes of a relay over one store: limits, numbers of frames, and commits in groups.
 *
 * Changes that arrive while the event loop hands out what the sockets brought share one transaction,
 * which is committed before any of them is answered. Where the store commits for nothing, each is a
 * group of its own.
 *
 * @module
 */

import type { FrameStore, KindNumber, StoredFrame } from './frame-store.ts';
import type { RelayLimits } from './limits.ts';
import { Mailbox, type QueueNumber } from './mailbox.ts';
import { FRAME_ID_MAX } from './protocol.ts';

/** Why a change does not hold; numbers of frames are above zero. */
export const REFUSED = {
  /** The mailbox holds as many frames as it may. */
  mailboxFull: -1,
  /** The relay holds as many mailboxes, frames or bytes as it may. */
  relayFull: -2,
  /** The store could not commit. */
  notWritten: -3,
  /** Another device has the mailbox. */
  taken: -4,
} as const;

/** Gets the number of the frame, 0 for what has none, or one of REFUSED; after the commit. */
export type Done = (outcome: number) => void;

/** A change that waits for its group's commit. */
interface Change {
  write(): void;
  /** The commit holds. */
  hold(): void;
  /** It does not; nothing of the change may remain. */
  undo(): void;
}

export interface MailboxesEvents {
  /** Within the transaction. @param plaintext What was given to `append`. */
  onWrite?(frame: StoredFrame, plaintext: Uint8Array | undefined): void;
  onDrop?(row: number): void;
  /** The frame holds. @param stored Valid during the call. */
  onHeld?(frame: StoredFrame, stored: Uint8Array): void;
}

export class Mailboxes {
  readonly #store: FrameStore;
  readonly #limits: RelayLimits;
  readonly #mailboxes = new Map<number, Mailbox>();
  /** Mailboxes whose registration waits for its commit. */
  readonly #registering = new Map<number, string>();
  #events: MailboxesEvents = {};
  #group: Change[] = [];
  #nextRow = 1;
  /** With what waits for its commit. */
  #frames = 0;
  #bytes = 0;
  /** Transactions that held, and that did not. */
  commits = 0;
  failures = 0;
  expired = 0;
  #failure = '';

  constructor(store: FrameStore, limits: RelayLimits) {
    this.#store = store;
    this.#limits = limits;
    store.load(
      ({ id, token, lastId }) => this.#mailboxes.set(id, new Mailbox(id, token, lastId)),
      (frame) => {
        this.#mailboxes.get(frame.mailbox)!.enqueue(frame);
        this.#nextRow = frame.row + 1;
        this.#frames += 1;
        this.#bytes += frame.length;
      },
    );
  }

  /** @param events Called for each frame from now on. */
  watch(events: MailboxesEvents): void {
    this.#events = events;
  }

  get count(): number {
    return this.#mailboxes.size;
  }

  get frames(): number {
    return this.#frames;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Why the last transaction failed; empty when none has. */
  get failure(): string {
    return this.#failure;
  }

  get(id: number): Mailbox | undefined {
    return this.#mailboxes.get(id);
  }

  read(frame: StoredFrame): Uint8Array {
    return this.#store.read(frame);
  }

  isExpired({ atMs }: StoredFrame, nowMs: number): boolean {
    return atMs + this.#limits.lifetimeMs <= nowMs;
  }

  /** A new mailbox. The caller has seen that there is none. */
  register(id: number, token: string, done: Done): void {
    const registering = this.#registering.get(id);
    if (registering !== undefined) {
      // Whoever came first decides; the same device again waits for the same commit.
      if (registering !== token) done(REFUSED.taken);
      else this.#enter({ write: nothing, hold: () => done(0), undo: () => undo(done) });
      return;
    }
    if (this.#mailboxes.size + this.#registering.size >= this.#limits.mailboxes) {
      done(REFUSED.relayFull);
      return;
    }
    this.#registering.set(id, token);
    this.#enter({
      write: () => this.#store.putMailbox({ id, token, lastId: 0 }),
      hold: () => {
        this.#registering.delete(id);
        this.#mailboxes.set(id, new Mailbox(id, token, 0));
        done(0);
      },
      undo: () => {
        this.#registering.delete(id);
        undo(done);
      },
    });
  }

  /** Why a frame of this length would be refused now; 0 when it would not. */
  refusal(mailbox: Mailbox, kind: KindNumber, length: number): number {
    const number = mailbox.queueOf(kind);
    const kept = mailbox.queue(number).length + mailbox.uncommitted[number];
    const limits = this.#limits;
    if (kept >= limits.framesPerMailbox || mailbox.lastId >= FRAME_ID_MAX) {
      return REFUSED.mailboxFull;
    }
    const isFull = this.#frames >= limits.frames || this.#bytes + length > limits.bytes;
    return isFull ? REFUSED.relayFull : 0;
  }

  /**
   * Takes a frame. The caller has asked `refusal`.
   *
   * @param bytes What is stored; the caller changes it no more.
   * @param plaintext What it says, for whoever watches; left out where the relay cannot know.
   */
  append(
    mailbox: Mailbox,
    from: number,
    kind: KindNumber,
    bytes: Uint8Array,
    atMs: number,
    done: Done,
    plaintext?: Uint8Array,
  ): void {
    const { length } = bytes;
    mailbox.lastId += 1;
    const row = this.#nextRow;
    this.#nextRow += 1;
    const frame: StoredFrame = {
      row,
      mailbox: mailbox.id,
      id: mailbox.lastId,
      atMs,
      from,
      kind,
      length,
      bytes: undefined,
    };
    this.#frames += 1;
    this.#bytes += length;
    if (!this.#store.isGrouped) {
      // Nothing waits, and nothing can be undone: no change to make up.
      this.#put(frame, bytes, plaintext);
      this.#hold(mailbox, frame, bytes);
      done(frame.id);
      return;
    }
    const number = mailbox.queueOf(kind);
    mailbox.uncommitted[number] += 1;
    this.#enter({
      write: () => this.#put(frame, bytes, plaintext),
      hold: () => {
        mailbox.uncommitted[number] -= 1;
        this.#hold(mailbox, frame, bytes);
        done(frame.id);
      },
      undo: () => {
        mailbox.uncommitted[number] -= 1;
        this.#frames -= 1;
        this.#bytes -= length;
        undo(done);
      },
    });
  }

  #put(frame: StoredFrame, bytes: Uint8Array, plaintext: Uint8Array | undefined): void {
    this.#store.putFrame(frame, bytes);
    this.#events.onWrite?.(frame, plaintext);
  }

  #hold(mailbox: Mailbox, frame: StoredFrame, bytes: Uint8Array): void {
    mailbox.enqueue(frame);
    this.#events.onHeld?.(frame, bytes);
  }

  /** Deletes what the device has fetched, up to and with `through`; done gets how many that were. */
  acknowledge(mailbox: Mailbox, through: number, done: Done): void {
    this.#drop(mailbox, 0, (frame) => frame.id <= through, done);
  }

  /** Deletes what nobody fetched in time, and keys that seal nothing any more. Called now and then. */
  expire(nowMs: number): void {
    const isExpired = (frame: StoredFrame): boolean => this.isExpired(frame, nowMs);
    const counted: Done = (dropped) => void (this.expired += Math.max(0, dropped));
    for (const mailbox of this.#mailboxes.values()) {
      for (const number of [0, 1] as const) {
        const queue = mailbox.queue(number);
        if (queue.length > 0 && isExpired(queue.at(0))) {
          this.#drop(mailbox, number, isExpired, counted);
        }
      }
    }
    this.#enter({
      write: () => this.#store.dropKeys(nowMs - this.#limits.lifetimeMs),
      hold: nothing,
      undo: nothing,
    });
  }

  /** Commits what waits, and closes the store. */
  close(): void {
    this.#flush();
    this.#store.close();
  }

  /** Deletes from the front of a queue while `which` says so. */
  #drop(
    mailbox: Mailbox,
    number: QueueNumber,
    which: (frame: StoredFrame) => boolean,
    done: Done,
  ): void {
    let dropped = 0;
    let bytes = 0;
    this.#enter({
      write: () => {
        // Only now: what an earlier change of the group deletes is not deleted again.
        const queue = mailbox.queue(number);
        const start = mailbox.leaving[number];
        while (start + dropped < queue.length && which(queue.at(start + dropped))) {
          const frame = queue.at(start + dropped);
          this.#store.dropFrame(frame);
          this.#events.onDrop?.(frame.row);
          bytes += frame.length;
          dropped += 1;
        }
        mailbox.leaving[number] += dropped;
        if (dropped > 0) this.#store.putLastId(mailbox.id, mailbox.lastId);
      },
      hold: () => {
        for (let i = 0; i < dropped; i++) mailbox.queue(number).shift();
        mailbox.leaving[number] -= dropped;
        this.#frames -= dropped;
        this.#bytes -= bytes;
        done(dropped);
      },
      undo: () => {
        mailbox.leaving[number] = 0;
        undo(done);
      },
    });
  }

  #enter(change: Change): void {
    if (!this.#store.isGrouped) {
      change.write();
      change.hold();
      return;
    }
    // Runs when the event loop has handed out all that the sockets brought.
    if (this.#group.length === 0) setImmediate(() => this.#flush());
    this.#group.push(change);
  }

  #flush(): void {
    const group = this.#group;
    if (group.length === 0) return;
    this.#group = [];
    try {
      this.#store.begin();
      for (const change of group) change.write();
      this.#store.commit();
    } catch (error) {
      this.failures += 1;
      this.#failure = error instanceof Error ? error.message : String(error);
      this.#store.rollback();
      for (const change of group) change.undo();
      return;
    }
    this.commits += 1;
    for (const change of group) change.hold();
  }
}

function undo(done: Done): void {
  done(REFUSED.notWritten);
}

function nothing(): void {
  // There is nothing to tell.
}
