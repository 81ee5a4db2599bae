/**
 * What clients of a relay ask for, as the open-loop driver sends it: each knows when it was due and
 * when it began, and tells the driver what became of it.
 *
 * @module
 */

import { nowNs } from '../../measure/clock.ts';
import { Histogram } from '../../measure/histogram.ts';
import type { RequestFacts } from '../../measure/relay-facts.ts';
import {
  acknowledgePath,
  bearer,
  fetchPath,
  FRAME_MEDIA_TYPE,
  framesPath,
  KIND_HEADER,
  readFetched,
  SENDER_HEADER,
  type StoredKind,
} from '../protocol.ts';
import type { RelayRequest } from './client.ts';
import type { Faults, Fetched, SentFrame } from './delivery.ts';

/** One frame to be sent. */
export interface Append {
  readonly frame: SentFrame;
  /** Left out where senders are not named. */
  readonly from?: number;
  readonly kind: StoredKind;
  readonly bytes: Uint8Array;
}

/** What was read of requests of one kind. */
export class Readings {
  readonly service = new Histogram();
  readonly response = new Histogram();
  readonly lag = new Histogram();
  queued = 0;
  scheduledNs = 0;
  elapsedNs = 0;

  add(dueNs: number, beganNs: number, endedNs: number): void {
    this.service.record(endedNs - beganNs);
    this.response.record(endedNs - dueNs);
    this.scheduledNs = Math.max(this.scheduledNs, dueNs);
    this.elapsedNs = Math.max(this.elapsedNs, endedNs);
  }

  facts(): RequestFacts {
    return {
      messages: this.response.count,
      queued: this.queued,
      scheduledNs: this.scheduledNs,
      elapsedNs: this.elapsedNs,
      service: this.service.encode(),
      response: this.response.encode(),
      lag: this.lag.encode(),
    };
  }
}

/** What requests need of whoever sends them. */
export interface Driver {
  readonly faults: Faults;
  /** In the order in which each device got it. */
  readonly fetched: Fetched[];
  readonly append: Readings;
  readonly fetch: Readings;
  readonly acknowledge: Readings;
  /** Since the start of the schedule. */
  now(): number;
  ended(): void;
  acknowledgeThrough(mailbox: number, id: number): void;
  /** A device is done with what it fetched. */
  deviceIsFree(mailbox: number): void;
}

abstract class OwnRequest {
  readonly loop: Driver;
  readonly dueNs: number;
  beganNs = 0;

  constructor(loop: Driver, dueNs: number) {
    this.loop = loop;
    this.dueNs = dueNs;
  }

  begun(): void {
    this.beganNs = this.loop.now();
  }
}

export class AppendRequest extends OwnRequest implements RelayRequest {
  readonly method = 'POST';
  readonly path: string;
  readonly headers: readonly string[];
  readonly body: Uint8Array;
  readonly #append: Append;

  constructor(loop: Driver, append: Append, dueNs: number, tokens: readonly string[]) {
    super(loop, dueNs);
    this.#append = append;
    this.path = framesPath(append.frame.mailbox);
    this.headers = appendHeaders(append.from, append.kind, tokens);
    this.body = append.bytes;
  }

  override begun(): void {
    super.begun();
    this.#append.frame.beganNs = nowNs();
  }

  answered(status: number, body: Uint8Array): void {
    const { loop } = this;
    const { frame } = this.#append;
    loop.append.add(this.dueNs, this.beganNs, loop.now());
    frame.acknowledgedNs = nowNs();
    if (status === 201) frame.id = readDecimal(body);
    else loop.faults.add(`message ${frame.message} was refused with ${status}`);
    loop.ended();
  }

  failed(reason: string): void {
    this.loop.faults.add(`message ${this.#append.frame.message} was not taken: ${reason}`);
    this.loop.ended();
  }
}

export class FetchRequest extends OwnRequest implements RelayRequest {
  readonly method = 'GET';
  readonly path: string;
  readonly headers: readonly string[];
  readonly body = null;
  readonly #mailbox: number;

  constructor(loop: Driver, mailbox: number, dueNs: number, token: string) {
    super(loop, dueNs);
    this.#mailbox = mailbox;
    this.path = fetchPath(mailbox);
    this.headers = ['authorization', token];
  }

  answered(status: number, body: Uint8Array): void {
    const { loop } = this;
    const mailbox = this.#mailbox;
    loop.fetch.add(this.dueNs, this.beganNs, loop.now());
    let last = 0;
    if (status !== 200) loop.faults.add(`a fetch of mailbox ${mailbox} was refused with ${status}`);
    else last = takeFetched(mailbox, body, loop.fetched, loop.faults);
    if (last === 0) loop.deviceIsFree(mailbox);
    else loop.acknowledgeThrough(mailbox, last);
    loop.ended();
  }

  failed(reason: string): void {
    this.loop.faults.add(`mailbox ${this.#mailbox} could not be fetched from: ${reason}`);
    this.loop.deviceIsFree(this.#mailbox);
    this.loop.ended();
  }
}

export class AcknowledgeRequest extends OwnRequest implements RelayRequest {
  readonly method = 'DELETE';
  readonly path: string;
  readonly headers: readonly string[];
  readonly body = null;
  readonly #mailbox: number;

  constructor(loop: Driver, mailbox: number, through: number, dueNs: number, token: string) {
    super(loop, dueNs);
    this.#mailbox = mailbox;
    this.path = acknowledgePath(mailbox, through);
    this.headers = ['authorization', token];
  }

  answered(status: number): void {
    const { loop } = this;
    loop.acknowledge.add(this.dueNs, this.beganNs, loop.now());
    loop.acknowledge.lag.record(0);
    if (status !== 204) {
      loop.faults.add(`an acknowledgement of mailbox ${this.#mailbox} was refused with ${status}`);
    }
    loop.deviceIsFree(this.#mailbox);
    loop.ended();
  }

  failed(reason: string): void {
    this.loop.faults.add(`mailbox ${this.#mailbox} could not be acknowledged: ${reason}`);
    this.loop.deviceIsFree(this.#mailbox);
    this.loop.ended();
  }
}

/**
 * @param from Left out where the relay takes frames from anyone.
 * @returns Names and values in turn.
 */
export function appendHeaders(
  from: number | undefined,
  kind: StoredKind,
  tokens: readonly string[],
): string[] {
  const headers = ['content-type', FRAME_MEDIA_TYPE];
  if (from !== undefined) {
    headers.push('authorization', bearer(tokens[from]!), SENDER_HEADER, String(from));
  }
  if (kind !== 'message') headers.push(KIND_HEADER, kind);
  return headers;
}

/** @returns The highest id; 0 where there was no frame. */
export function takeFetched(
  mailbox: number,
  body: Uint8Array,
  into: Fetched[],
  faults: Faults,
): number {
  let last = 0;
  try {
    for (const { id, bytes } of readFetched(body)) {
      if (id <= last) faults.add(`mailbox ${mailbox}: frame ${id} came after frame ${last}`);
      into.push({ mailbox, id, bytes });
      last = Math.max(last, id);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    faults.add(`mailbox ${mailbox}: what was fetched does not parse`);
  }
  return last;
}

/** The id in the answer to an append; 0 for anything else. */
export function readDecimal(body: Uint8Array): number {
  let value = 0;
  for (const byte of body) {
    if (byte < 0x30 || byte > 0x39) return 0;
    value = value * 10 + (byte - 0x30);
  }
  return value;
}
