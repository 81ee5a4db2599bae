/**
 * autocannon 9 as a closed loop that saturates a server, with what it gets wrong kept out.
 *
 * - Its correction of coordinated omission is in a wrong unit, and on by default with a rate: it is
 *   off here. Without a rate autocannon refuses the option that turns it off, and corrects nothing.
 * - It knows no latency below 1 ms and none of what timed out: none is taken from it.
 * - Its worker threads multiply rates and cut amounts down: here more threads are more processes, and
 *   what does not divide is refused. So is a rate below the number of connections, which it would
 *   lower without a word.
 * - It ends well whatever happened: here its counts are judged. What a server leaves unanswered when it
 *   closes a connection, it does not count at all: that is found from what was sent and answered. Of
 *   what was sent it counts too much when there is a rate, which is put right.
 * - Every connection would send the same requests in the same order, copied for each: here each gets a
 *   list of its own.
 *
 * Nothing is known of what its requests did: it repeats them, so loss and duplicates cannot be told.
 *
 * @module
 */

import autocannon from 'autocannon';

export interface PreparedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export interface ClosedLoop {
  /** `http://127.0.0.1:8080`. */
  readonly origin: string;
  /** One list per connection, which it goes through again and again. */
  readonly requests: readonly (readonly PreparedRequest[])[];
  /** In all; as fast as the server answers when left out. */
  readonly ratePerSecond?: number;
  /** In all; until it is stopped when left out. */
  readonly amount?: number;
  readonly timeoutSeconds: number;
  /** Of `tls.connect`. */
  readonly tlsOptions?: Readonly<Record<string, string>>;
}

/** What came of it. Without latencies. */
export interface ClosedLoopCounts {
  readonly completed: number;
  readonly bytesRead: number;
  readonly errors: {
    readonly connection: number;
    readonly timeouts: number;
    readonly mismatches: number;
    readonly non2xx: number;
    readonly unanswered: number;
  };
  /** By status code. */
  readonly statuses: Readonly<Record<string, number>>;
}

/** How often it looks whether to stop. */
const SAMPLE_MS = 100;
/** After so many errors a server is not worth more of them. */
const BAILOUT = 100;
/** Whoever wants less stops it. */
const DURATION_SECONDS_MAX = 3_600;

export interface RunningLoop {
  /** Stops within a sample. */
  stop(): void;
  /** Settled with the first answer, or with the end where there is none. */
  readonly answering: Promise<unknown>;
  readonly counts: Promise<ClosedLoopCounts>;
}

/** @throws RangeError for a loop that autocannon would quietly change. */
export function startClosedLoop(loop: ClosedLoop): RunningLoop {
  requirePossible(loop);
  const { requests, ratePerSecond, amount, tlsOptions } = loop;
  const lists = requests.map((list) => list.map(toLibrary));
  let clients = 0;
  const running = autocannon({
    url: loop.origin,
    connections: requests.length,
    duration: DURATION_SECONDS_MAX,
    timeout: loop.timeoutSeconds,
    sampleInt: SAMPLE_MS,
    bailout: BAILOUT,
    setupClient: (client) => client.setRequests(lists[clients++]!),
    ...(amount === undefined ? {} : { amount }),
    ...(ratePerSecond === undefined
      ? {}
      : { overallRate: ratePerSecond, ignoreCoordinatedOmission: true }),
    ...(tlsOptions === undefined ? {} : { tlsOptions: { ...tlsOptions } }),
  });
  const ended = Promise.resolve(running);
  const answered = new Promise<void>((resolve) => running.once('response', resolve));
  return {
    stop: () => running.stop(),
    answering: Promise.race([answered, ended]),
    counts: ended.then((result) => {
      const { errors, timeouts, mismatches, non2xx, statusCodeStats } = result;
      const { total: completed, sent } = result.requests;
      const connections = requests.length;
      // For the first request of a connection it counts as many as the connection's rate.
      const really = ratePerSecond === undefined ? sent : sent - ratePerSecond + connections;
      return {
        completed,
        bytesRead: result.throughput.total,
        errors: {
          connection: errors - timeouts,
          timeouts,
          mismatches,
          non2xx,
          // One request of each connection may be under way when the loop is stopped.
          unanswered: Math.max(0, really - completed - errors - connections),
        },
        statuses: Object.fromEntries(
          Object.entries(statusCodeStats).map(([code, { count }]) => [code, count]),
        ),
      };
    }),
  };
}

function requirePossible({ requests, ratePerSecond, amount }: ClosedLoop): void {
  const connections = requests.length;
  if (connections < 1 || requests.some((list) => list.length === 0)) {
    throw new RangeError('"requests" expected one list or more, none of them empty');
  }
  for (const [name, value] of Object.entries({ ratePerSecond, amount })) {
    if (value === undefined || (Number.isInteger(value) && value >= connections)) continue;
    throw new RangeError(
      `"${name}" expected a whole number of at least one for each of ${connections} connections, ` +
        `got ${value}`,
    );
  }
}

function toLibrary({ method, path, headers, body }: PreparedRequest): {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: Buffer;
} {
  const request = { method, path, headers: { ...headers } };
  // The library takes nothing but a Buffer.
  return body === undefined ? request : { ...request, body: Buffer.from(body) };
}

/**
 * The shares of so many processes, which together are the whole.
 *
 * @throws RangeError for what does not divide without a rest.
 */
export function dividedLoop(loop: ClosedLoop, processes: number): ClosedLoop[] {
  const { requests, ratePerSecond, amount } = loop;
  for (const [name, value] of Object.entries({
    requests: requests.length,
    ratePerSecond,
    amount,
  })) {
    if (value === undefined || value % processes === 0) continue;
    throw new RangeError(`"${name}" expected a multiple of ${processes} processes, got ${value}`);
  }
  const connections = requests.length / processes;
  return Array.from({ length: processes }, (_, process) => ({
    ...loop,
    requests: requests.slice(process * connections, (process + 1) * connections),
    ...(ratePerSecond === undefined ? {} : { ratePerSecond: ratePerSecond / processes }),
    ...(amount === undefined ? {} : { amount: amount / processes }),
  }));
}

/** The counts of several processes as one. */
export function summedCounts(all: readonly ClosedLoopCounts[]): ClosedLoopCounts {
  const statuses: Record<string, number> = {};
  const errors = { connection: 0, timeouts: 0, mismatches: 0, non2xx: 0, unanswered: 0 };
  let completed = 0;
  let bytesRead = 0;
  for (const counts of all) {
    completed += counts.completed;
    bytesRead += counts.bytesRead;
    for (const [code, count] of Object.entries(counts.statuses)) {
      statuses[code] = (statuses[code] ?? 0) + count;
    }
    for (const kind of Object.keys(errors) as (keyof typeof errors)[]) {
      errors[kind] += counts.errors[kind];
    }
  }
  return { completed, bytesRead, errors, statuses };
}

/** Why the counts are not those of a server that answered everything, in one sentence. */
export function closedLoopFault(
  { completed, errors, statuses }: ClosedLoopCounts,
  amount?: number,
): string | undefined {
  const { connection, timeouts, mismatches, non2xx, unanswered } = errors;
  const faults = [
    [connection, 'connection errors'],
    [timeouts, 'timeouts'],
    [mismatches, 'wrong bodies'],
    [unanswered, 'requests without an answer when the server closed the connection'],
    [non2xx, `refusals (${refusals(statuses)})`],
  ] as const;
  const found = faults.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  if (completed === 0) {
    return `no request was answered${found.length === 0 ? '' : `: ${found.join(', ')}`}`;
  }
  if (found.length > 0) return `of ${completed} answered requests and more: ${found.join(', ')}`;
  if (amount === undefined || completed === amount) return undefined;
  return `${completed} requests were answered, ${amount} were to be sent`;
}

function refusals(statuses: Readonly<Record<string, number>>): string {
  return Object.entries(statuses)
    .filter(([code]) => !code.startsWith('2'))
    .map(([code, count]) => `${count} x ${code}`)
    .join(', ');
}
