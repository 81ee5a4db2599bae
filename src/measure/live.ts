/**
 * What a repeat has done so far, in shared memory: written by its workers, read by its main thread.
 *
 * A worker stores words of 32 bits, outside all timed loops, when a batch ends. Nobody waits for
 * anybody and nothing is sent: a reader may see the words of a batch that is half told, which for a
 * view of progress is exact enough. Each worker has pages of its own, so no store is shared.
 *
 * @module
 */

/** Asks a child process to say how far it is, and where it does: one JSON line at a time. */
export const LIVE_FLAG = '--live';
export const LIVE_DESCRIPTOR = 3;

const PHASES = ['preparing', 'opening', 'traffic', 'done'] as const;
export type LivePhase = (typeof PHASES)[number];

/** Of each worker, in words. */
const AT = {
  phase: 0,
  sessions: 1,
  sessionsOpened: 2,
  messages: 3,
  messagesSent: 4,
  cpuMs: 5,
  openingNs: 6,
  firstNs: 7,
  messageNs: 8,
  window: 9,
  windowsMax: 10,
  windowPerSecond: 11,
  send: 16,
} as const;

/** Eight per power of two: a value is at most 12.5 % off. */
const STEPS = 8;
const BUCKETS = 37 * STEPS;
const RECEIVE_AT = AT.send + BUCKETS;
const RESPONSE_AT = RECEIVE_AT + BUCKETS;
/** A multiple of a page of 4 KiB. */
const WORDS = 1024;
const WORD_MAX = 2 ** 32 - 1;

export type LiveWords = Uint32Array<SharedArrayBuffer>;

/** Zeros in shared memory, for a worker. */
export function createLive(): LiveWords {
  return new Uint32Array(new SharedArrayBuffer(WORDS * Uint32Array.BYTES_PER_ELEMENT));
}

/** What a worker expects of one step, in ns, to foretell the end by; all 0 where nobody can. */
export interface ExpectedCosts {
  readonly openingNs: number;
  /** Of the first message of a session. */
  readonly firstNs: number;
  readonly messageNs: number;
}

/** Stores what a worker has done. */
export class LiveWriter {
  readonly #words: Uint32Array;

  constructor(words: Uint32Array) {
    this.#words = words;
  }

  begin(sessions: number, messages: number, expected: ExpectedCosts): void {
    const words = this.#words;
    words[AT.sessions] = sessions;
    words[AT.messages] = messages;
    words[AT.openingNs] = Math.min(WORD_MAX, expected.openingNs);
    words[AT.firstNs] = Math.min(WORD_MAX, expected.firstNs);
    words[AT.messageNs] = Math.min(WORD_MAX, expected.messageNs);
  }

  /** Sessions that were opened at the end that opens them. */
  opened(sessions: number): void {
    this.#words[AT.sessionsOpened]! += sessions;
  }

  /** @param cpuNs Of the worker's thread since it was born. */
  batch(phase: 'open' | 'traffic', messages: number, cpuNs: number): void {
    const words = this.#words;
    words[AT.phase] = PHASES.indexOf(phase === 'open' ? 'opening' : 'traffic');
    words[AT.messagesSent]! += messages;
    words[AT.cpuMs] = cpuNs / 1e6;
  }

  /** A search begins a window. */
  window(number: number, most: number, perSecond: number): void {
    const words = this.#words;
    words[AT.window] = number;
    words[AT.windowsMax] = most;
    words[AT.windowPerSecond] = Math.round(perSecond);
  }

  /** One message that came by a schedule. */
  response(responseNs: number): void {
    this.#words[RESPONSE_AT + bucketOf(responseNs)]! += 1;
  }

  end(): void {
    this.#words[AT.phase] = PHASES.indexOf('done');
  }

  latencies(stage: 'send' | 'receive', latenciesNs: Float64Array, count: number): void {
    const words = this.#words;
    const from = stage === 'send' ? AT.send : RECEIVE_AT;
    for (let i = 0; i < count; i++) words[from + bucketOf(latenciesNs[i]!)]! += 1;
  }
}

export interface LiveLatency {
  readonly p50Ns: number;
  readonly p99Ns: number;
}

/** The whole repeat at a moment: plain data. */
export interface LiveView {
  /** Of the worker that is behind the others. */
  readonly phase: LivePhase;
  readonly sessions: number;
  readonly sessionsOpened: number;
  readonly messages: number;
  readonly messagesSent: number;
  /** One entry per worker, since it began. */
  readonly cpuMs: readonly number[];
  /** Of single calls so far; undefined before the first. */
  readonly send?: LiveLatency;
  readonly receive?: LiveLatency;
  /** From the moment of its schedule to its plaintext, of messages that came by one. */
  readonly response?: LiveLatency;
  /** Where a search decides how many messages there are; it has one worker. */
  readonly search?: {
    /** From 1. */
    readonly window: number;
    readonly windowsMax: number;
    readonly perSecond: number;
  };
  /** Done and in all, in units of the costs that the workers expect. */
  readonly workDone: number;
  readonly work: number;
}

/** What a repeat's process says of itself while it runs. */
export interface LiveReport extends LiveView {
  /** Since the repeat's process began to host its workers. */
  readonly elapsedMs: number;
  /** Of the process. */
  readonly rssBytes: number;
}

/** @param workers One per worker. */
export function readLive(workers: readonly Uint32Array[]): LiveView {
  const sum = (at: number): number => workers.reduce((total, words) => total + words[at]!, 0);
  const send = percentiles(workers, AT.send);
  const receive = percentiles(workers, RECEIVE_AT);
  const response = percentiles(workers, RESPONSE_AT);
  const [first] = workers;
  return {
    phase: PHASES[Math.min(...workers.map((words) => words[AT.phase]!))]!,
    sessions: sum(AT.sessions),
    sessionsOpened: sum(AT.sessionsOpened),
    messages: sum(AT.messages),
    messagesSent: sum(AT.messagesSent),
    cpuMs: workers.map((words) => words[AT.cpuMs]!),
    ...(send && { send }),
    ...(receive && { receive }),
    ...(response && { response }),
    ...(first !== undefined &&
      first[AT.window]! > 0 && {
        search: {
          window: first[AT.window]!,
          windowsMax: first[AT.windowsMax]!,
          perSecond: first[AT.windowPerSecond]!,
        },
      }),
    workDone: workOf(workers, AT.sessionsOpened, AT.messagesSent),
    work: workOf(workers, AT.sessions, AT.messages),
  };
}

/** First messages come before all others. */
function workOf(workers: readonly Uint32Array[], sessionsAt: number, messagesAt: number): number {
  return workers.reduce((total, words) => {
    const messages = words[messagesAt]!;
    const firsts = Math.min(messages, words[AT.sessions]!);
    return (
      total +
      words[sessionsAt]! * words[AT.openingNs]! +
      firsts * words[AT.firstNs]! +
      (messages - firsts) * words[AT.messageNs]!
    );
  }, 0);
}

function percentiles(workers: readonly Uint32Array[], from: number): LiveLatency | undefined {
  const counts = new Float64Array(BUCKETS);
  let count = 0;
  for (const words of workers) {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      counts[bucket]! += words[from + bucket]!;
      count += words[from + bucket]!;
    }
  }
  if (count === 0) return undefined;
  const at = (share: number): number => {
    let reached = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      reached += counts[bucket]!;
      if (reached >= share * count) return upperNs(bucket);
    }
    return upperNs(BUCKETS - 1);
  };
  return { p50Ns: at(0.5), p99Ns: at(0.99) };
}

function bucketOf(ns: number): number {
  if (!(ns >= 1)) return 0;
  const power = Math.floor(Math.log2(ns));
  const step = Math.floor((ns / 2 ** power - 1) * STEPS);
  return Math.min(BUCKETS - 1, power * STEPS + step);
}

function upperNs(bucket: number): number {
  return 2 ** Math.floor(bucket / STEPS) * (1 + ((bucket % STEPS) + 1) / STEPS);
}
