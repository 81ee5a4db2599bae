/** The part of autocannon 9 that is used; the package has no types of its own. */
declare module 'autocannon' {
  interface Request {
    method: string;
    path: string;
    headers?: Record<string, string>;
    body?: Buffer;
  }
  interface Client {
    setRequests(requests: readonly Request[]): void;
  }
  interface Options {
    url: string;
    connections: number;
    /** Seconds. */
    duration: number;
    /** Seconds. */
    timeout: number;
    /** Milliseconds between two looks at whether to stop. */
    sampleInt: number;
    amount?: number;
    overallRate?: number;
    ignoreCoordinatedOmission?: boolean;
    bailout: number;
    setupClient: (client: Client) => void;
    tlsOptions?: object;
  }
  interface Result {
    /** Of connections, with timeouts. */
    errors: number;
    timeouts: number;
    mismatches: number;
    non2xx: number;
    statusCodeStats: Record<string, { count: number }>;
    requests: { total: number; sent: number };
    throughput: { total: number };
  }
  interface Instance extends PromiseLike<Result> {
    once(event: 'response', listener: () => void): void;
    stop(): void;
  }
  export default function autocannon(options: Options): Instance;
}
