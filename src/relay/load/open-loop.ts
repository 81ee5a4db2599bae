/**
 * The open-loop driver: requests that are due on a schedule computed beforehand, whatever became of
 * those before them.
 *
 * One turn of the event loop begins all that has become due; between turns come the answers. While
 * the next request is less than two milliseconds away it goes round and round, for a timer of Node
 * would be up to one too late; the time of turns in which nothing came is what it had to spare.
 *
 * @module
 */

import { nowNs } from '../../measure/clock.ts';
import { processCpuNs } from '../../measure/cpu.ts';
import type { RequestFacts } from '../../measure/relay-facts.ts';
import { RunDelay, UNKNOWN } from '../../measure/run-delay.ts';
import { bearer } from '../protocol.ts';
import type { RelayClient, RelayRequest } from './client.ts';
import type { Faults, Fetched } from './delivery.ts';
import {
  AcknowledgeRequest,
  AppendRequest,
  FetchRequest,
  Readings,
  type Append,
  type Driver,
} from './requests.ts';

/** What is due when, ascending; columns of equal length. */
export interface Schedule {
  readonly dueNs: Float64Array;
  /** A frame to send, or a mailbox to fetch from. */
  readonly what: readonly (Append | number)[];
}

/** Devices look for messages this long after the last of those that they fetch together was due. */
const FETCH_AFTER_NS = 20e6;
/** Below it the driver does not trust a timer. */
const SPIN_NS = 2e6;

/**
 * Adds what devices do to what is sent: each fetches after every `messagesPerFetch` frames for it.
 *
 * @param dueNs Ascending, one per append.
 */
export function scheduleWith(
  appends: readonly Append[],
  dueNs: ArrayLike<number>,
  messagesPerFetch: number,
): Schedule {
  const due: { readonly atNs: number; readonly what: Append | number }[] = [];
  const waiting = new Map<number, number>();
  for (const [index, append] of appends.entries()) {
    const atNs = dueNs[index]!;
    due.push({ atNs, what: append });
    if (append.kind === 'escrow') continue; // Never fetched.
    const { mailbox } = append.frame;
    const count = (waiting.get(mailbox) ?? 0) + 1;
    waiting.set(mailbox, count % messagesPerFetch);
    if (count === messagesPerFetch) due.push({ atNs: atNs + FETCH_AFTER_NS, what: mailbox });
  }
  due.sort((a, b) => a.atNs - b.atNs);
  return {
    dueNs: Float64Array.from(due, ({ atNs }) => atNs),
    what: due.map(({ what }) => what),
  };
}

export interface OpenLoopOptions {
  readonly client: RelayClient;
  /** By mailbox. */
  readonly tokens: readonly string[];
  readonly schedule: Schedule;
  readonly faults: Faults;
}

export interface OpenLoopResult {
  readonly append: RequestFacts;
  readonly fetch: RequestFacts;
  readonly acknowledge: RequestFacts;
  readonly generator: {
    readonly wallNs: number;
    readonly busyShare: number;
    readonly cpuNs: number;
    readonly runDelayNs: number;
  };
  /** In the order in which each device got it. */
  readonly fetched: readonly Fetched[];
}

/** Ends when every request was answered or has failed. */
export function driveOpenLoop(options: OpenLoopOptions): Promise<OpenLoopResult> {
  return new OpenLoop(options).run();
}

class OpenLoop implements Driver {
  readonly client: RelayClient;
  readonly faults: Faults;
  readonly fetched: Fetched[] = [];
  readonly append = new Readings();
  readonly fetch = new Readings();
  readonly acknowledge = new Readings();
  readonly #tokens: readonly string[];
  readonly #schedule: Schedule;
  /** By mailbox: whether a fetch is under way, and when a further one was due. */
  readonly #fetching = new Map<number, number | undefined>();
  #startNs = 0;
  #next = 0;
  #outstanding = 0;
  /** Answers and beginnings so far. */
  #events = 0;
  #eventsSeen = 0;
  #turnNs = 0;
  #idleNs = 0;
  #finish: (() => void) | undefined;

  constructor({ client, tokens, schedule, faults }: OpenLoopOptions) {
    this.client = client;
    this.faults = faults;
    this.#tokens = tokens;
    this.#schedule = schedule;
  }

  async run(): Promise<OpenLoopResult> {
    const runDelay = new RunDelay();
    const delayBefore = runDelay.read().runDelayNs;
    const cpuBefore = processCpuNs();
    const finished = new Promise<void>((resolve) => {
      this.#finish = resolve;
    });
    this.#startNs = nowNs();
    this.#turn();
    await finished;
    const wallNs = this.now();
    const cpuNs = processCpuNs() - cpuBefore;
    const delayAfter = runDelay.read().runDelayNs;
    runDelay.close();
    return {
      append: this.append.facts(),
      fetch: this.fetch.facts(),
      acknowledge: this.acknowledge.facts(),
      generator: {
        wallNs,
        busyShare: wallNs > 0 ? Math.max(0, 1 - this.#idleNs / wallNs) : 0,
        cpuNs,
        runDelayNs: delayBefore === UNKNOWN ? UNKNOWN : delayAfter - delayBefore,
      },
      fetched: this.fetched,
    };
  }

  /** Since the start. */
  now(): number {
    return nowNs() - this.#startNs;
  }

  readonly #turn = (): void => {
    const { dueNs, what } = this.#schedule;
    let now = this.now();
    if (this.#events === this.#eventsSeen) this.#idleNs += now - this.#turnNs;
    while (this.#next < dueNs.length && dueNs[this.#next]! <= now) {
      this.#begin(what[this.#next]!, dueNs[this.#next]!, now);
      this.#next += 1;
      now = this.now();
    }
    this.#turnNs = now;
    this.#eventsSeen = this.#events;
    if (this.#next === dueNs.length) {
      if (this.#outstanding === 0) this.#finish!();
      else setTimeout(this.#turn, 1);
    } else if (dueNs[this.#next]! - now > SPIN_NS) setTimeout(this.#turn, 1);
    else setImmediate(this.#turn);
  };

  #begin(what: Append | number, dueNs: number, now: number): void {
    this.#events += 1;
    if (typeof what !== 'number') {
      this.append.lag.record(now - dueNs);
      if (this.client.waiting > 0) this.append.queued += 1;
      this.#send(new AppendRequest(this, what, dueNs, this.#tokens));
      return;
    }
    this.fetch.lag.record(now - dueNs);
    if (this.#fetching.has(what)) {
      // A device does one thing at a time.
      if (this.#fetching.get(what) === undefined) this.#fetching.set(what, dueNs);
      return;
    }
    this.#fetch(what, dueNs);
  }

  #fetch(mailbox: number, dueNs: number): void {
    this.#fetching.set(mailbox, undefined);
    this.#send(new FetchRequest(this, mailbox, dueNs, bearer(this.#tokens[mailbox]!)));
  }

  #send(request: RelayRequest): void {
    this.#outstanding += 1;
    this.client.send(request);
  }

  ended(): void {
    this.#events += 1;
    this.#outstanding -= 1;
  }

  acknowledgeThrough(mailbox: number, id: number): void {
    const token = bearer(this.#tokens[mailbox]!);
    this.#send(new AcknowledgeRequest(this, mailbox, id, this.now(), token));
  }

  /** A device is done with what it fetched. */
  deviceIsFree(mailbox: number): void {
    const dueNs = this.#fetching.get(mailbox);
    this.#fetching.delete(mailbox);
    if (dueNs !== undefined) this.#fetch(mailbox, dueNs);
  }
}
