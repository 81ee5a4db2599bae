/**
 * The hand-over: streams of what passes to and from the targets of an authority, as it is committed.
 *
 * How many mailboxes may be targets at once is a share of all mailboxes. What an authority does not
 * read in time is kept up to a bound; beyond it the stream is broken off, never thinned out.
 *
 * @module
 */

import type { ServerResponse } from 'node:http';
import type { StoredFrame } from './frame-store.ts';
import type { RelayLimits } from './limits.ts';
import type { Mailbox } from './mailbox.ts';
import type { Mailboxes } from './mailboxes.ts';
import { FRAME_MEDIA_TYPE, HANDED_HEADER_BYTES, putHandedHeader } from './protocol.ts';
import type { RelayRole } from './role.ts';

interface Stream {
  readonly targets: ReadonlySet<number>;
  readonly response: ServerResponse;
}

export class HandOver {
  readonly #mailboxes: Mailboxes;
  readonly #limits: RelayLimits;
  readonly #role: RelayRole | undefined;
  readonly #scratch: Uint8Array;
  readonly #streams = new Set<Stream>();
  /** Of all streams, each with how many of them want it. */
  readonly #targets = new Map<number, number>();
  /** Frames handed over, and streams broken off because nobody read them. */
  handed = 0;
  overruns = 0;
  /** Frames that the role could not open. */
  unreadable = 0;

  constructor(mailboxes: Mailboxes, limits: RelayLimits, role: RelayRole | undefined) {
    this.#mailboxes = mailboxes;
    this.#limits = limits;
    this.#role = role;
    this.#scratch = new Uint8Array(limits.frameBytes + 2 * (role?.roomBytes ?? 0));
  }

  /** Mailboxes that may be targets at once. */
  get licensed(): number {
    return Math.max(1, Math.floor(this.#mailboxes.count * this.#limits.targetShare));
  }

  get targets(): number {
    return this.#targets.size;
  }

  /** Whether these may become targets beside those of other streams. */
  allows(targets: ReadonlySet<number>): boolean {
    let more = 0;
    for (const target of targets) if (!this.#targets.has(target)) more += 1;
    return this.#targets.size + more <= this.licensed;
  }

  /** Begins with what the targets' mailboxes hold; goes on until either side ends it. */
  open(mailboxes: readonly Mailbox[], response: ServerResponse): void {
    const targets = new Set(mailboxes.map(({ id }) => id));
    const stream = { targets, response };
    this.#streams.add(stream);
    for (const id of targets) this.#targets.set(id, (this.#targets.get(id) ?? 0) + 1);
    response.on('close', () => this.#remove(stream));
    response.writeHead(200, ['content-type', FRAME_MEDIA_TYPE, 'cache-control', 'no-store']);
    response.flushHeaders();
    for (const mailbox of mailboxes) {
      for (const frame of heldBy(mailbox)) this.#send(stream, frame, this.#mailboxes.read(frame));
    }
  }

  /** A frame that has been committed. @param stored As it is stored. */
  offer(frame: StoredFrame, stored: Uint8Array): void {
    if (this.#targets.size === 0) return;
    if (!this.#targets.has(frame.mailbox) && !this.#targets.has(frame.from)) return;
    for (const stream of this.#streams) {
      const { targets } = stream;
      if (targets.has(frame.mailbox) || targets.has(frame.from)) this.#send(stream, frame, stored);
    }
  }

  /** Ends all streams. */
  close(): void {
    for (const { response } of this.#streams) response.end();
  }

  #send(stream: Stream, frame: StoredFrame, stored: Uint8Array): void {
    const { response } = stream;
    if (response.destroyed || response.writableEnded) return;
    const bytes = this.#opened(frame.mailbox, stored);
    if (bytes === undefined) {
      this.unreadable += 1;
      return;
    }
    const record = new Uint8Array(HANDED_HEADER_BYTES + bytes.length);
    const { id, atMs, mailbox: to, from } = frame;
    putHandedHeader(record, 0, { id, atMs, to, from, bytes });
    record.set(bytes, HANDED_HEADER_BYTES);
    if (response.writableLength + record.length > this.#limits.handOverBytes) {
      this.overruns += 1;
      response.destroy();
      return;
    }
    response.write(record);
    this.handed += 1;
  }

  /** With the provider's own seals opened; valid until the next call. */
  #opened(to: number, stored: Uint8Array): Uint8Array | undefined {
    if (this.#role === undefined) return stored;
    const length = this.#role.handOver(to, stored, this.#scratch);
    return length < 0 ? undefined : this.#scratch.subarray(0, length);
  }

  #remove(stream: Stream): void {
    if (!this.#streams.delete(stream)) return;
    for (const id of stream.targets) {
      const others = this.#targets.get(id)! - 1;
      if (others === 0) this.#targets.delete(id);
      else this.#targets.set(id, others);
    }
  }
}

/** All that a mailbox holds, in the order in which it came. */
function* heldBy({ waiting, escrow }: Mailbox): Generator<StoredFrame> {
  let atWaiting = 0;
  let atEscrow = 0;
  while (atWaiting < waiting.length || atEscrow < escrow.length) {
    const isNext =
      atEscrow === escrow.length ||
      (atWaiting < waiting.length && waiting.at(atWaiting).row < escrow.at(atEscrow).row);
    yield isNext ? waiting.at(atWaiting++) : escrow.at(atEscrow++);
  }
}
