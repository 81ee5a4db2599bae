import type { KindNumber, StoredFrame } from './frame-store.ts';

const ESCROW: KindNumber = 2;

/** 0: what the device fetches. 1: what waits for an authority. */
export type QueueNumber = 0 | 1;

/** First in, first out; what leaves makes room without moving the rest each time. */
class FrameQueue {
  #frames: (StoredFrame | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#frames.length - this.#head;
  }

  at(index: number): StoredFrame {
    return this.#frames[this.#head + index]!;
  }

  push(frame: StoredFrame): void {
    this.#frames.push(frame);
  }

  /** @throws RangeError when there is none. */
  shift(): StoredFrame {
    const frame = this.#frames[this.#head];
    if (frame === undefined) throw new RangeError('"queue" expected a frame, got none');
    this.#frames[this.#head] = undefined;
    this.#head += 1;
    if (this.#head === this.#frames.length) {
      this.#frames.length = 0;
      this.#head = 0;
    } else if (this.#head >= 64 && this.#head * 2 > this.#frames.length) {
      this.#frames = this.#frames.slice(this.#head);
      this.#head = 0;
    }
    return frame;
  }
}

/** One device's mailbox: what waits in it, by reference. */
export class Mailbox {
  readonly id: number;
  readonly token: string;
  /** Given to the newest frame, committed or not. */
  lastId: number;
  /** What the device fetches, oldest first; all committed. */
  readonly waiting = new FrameQueue();
  /** What an authority may ask for: kept until it expires. */
  readonly escrow = new FrameQueue();
  /** Frames that wait for their commit; they count against the limits. */
  readonly uncommitted: [waiting: number, escrow: number] = [0, 0];
  /** Of each queue, how many are gone once the group that is being written holds. */
  readonly leaving: [waiting: number, escrow: number] = [0, 0];

  constructor(id: number, token: string, lastId: number) {
    this.id = id;
    this.token = token;
    this.lastId = lastId;
  }

  /** Which of the two queues a frame of this kind is in. */
  queueOf(kind: KindNumber): QueueNumber {
    return kind === ESCROW ? 1 : 0;
  }

  queue(number: QueueNumber): FrameQueue {
    return number === 0 ? this.waiting : this.escrow;
  }

  enqueue(frame: StoredFrame): void {
    this.queue(this.queueOf(frame.kind)).push(frame);
    if (frame.id > this.lastId) this.lastId = frame.id;
  }
}
