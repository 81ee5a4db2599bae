/** Stands in for src/runner/calibrate.ts; see _fake-runner.ts. */

const overhead = {
  cpuNs: { value: 50, low: 40, high: 60 },
  latencyNs: { value: 80, low: 70, high: 90 },
  clockReadNs: 60,
  emptyCallNs: { send: 100, 'relay-store': 60, 'relay-fetch': 60, receive: 60 },
};

export function calibrateOverhead(): Promise<typeof overhead> {
  return Promise.resolve(overhead);
}
