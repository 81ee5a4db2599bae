import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RelayFacts } from '../../src/measure/relay-facts.ts';
import type { Figure } from '../../src/metrics/_metric.ts';
import { loadMetrics } from '../../src/metrics/_registry.ts';
import { closedLoopOf, openLoopOf, relayFactsOf } from '../report/relay-fixtures.ts';

const metrics = new Map((await loadMetrics()).map((metric) => [metric.name, metric]));

function figuresOf(name: string, facts: Partial<RelayFacts>): Figure[] {
  return metrics.get(name)!.derive({ shards: [], relay: relayFactsOf(facts) });
}

function valueOf(figures: readonly Figure[], at: Partial<Figure>): number | undefined {
  return figures.find((figure) =>
    Object.entries(at).every(([key, value]) => figure[key as keyof Figure] === value),
  )?.value;
}

test('CPU per request and per message come from what the relay itself used', () => {
  const closedLoop = closedLoopOf({ requests: 1_000, cpuNs: 50e6, wallNs: 100e6 });
  const cpu = figuresOf('server-cpu-per-request', { closedLoop });
  assert.equal(valueOf(cpu, { kind: '', role: 'relay' }), 50_000);
  assert.equal(valueOf(cpu, { kind: 'message', role: 'relay' }), 70_000);
  assert.equal(valueOf(figuresOf('request-rate', { closedLoop }), {}), 10_000);
  const busy = figuresOf('server-busy-share', { closedLoop });
  assert.equal(valueOf(busy, { kind: 'cpu' }), 0.5);
  assert.equal(valueOf(busy, { kind: 'loop' }), 0.95);
  assert.deepEqual(
    figuresOf('request-errors', { closedLoop }).map(({ kind, value }) => [kind, value]),
    [
      ['connection', 0],
      ['timeouts', 0],
      ['mismatches', 0],
      ['non2xx', 0],
      ['unanswered', 0],
    ],
  );
});

test('a relay that answered nothing has no CPU per request', () => {
  const closedLoop = closedLoopOf({ requests: 0, cpuNs: 5, wallNs: 0 });
  assert.deepEqual(figuresOf('server-cpu-per-request', { closedLoop }), []);
  assert.deepEqual(figuresOf('request-rate', { closedLoop }), []);
});

test('a connection is the intercept and a message the slope of CPU over messages', () => {
  const messagesPerConnection = [1, 5, 20, 100];
  const connections = [10, 10, 5, 2];
  const line = (perConnection: number, perMessage: number): number[] =>
    messagesPerConnection.map(
      (messages, point) => connections[point]! * (perConnection + perMessage * messages),
    );
  const figures = figuresOf('connection-cpu', {
    connections: {
      resumed: false,
      messagesPerConnection,
      connections,
      serverCpuNs: line(900_000, 40_000),
      clientCpuNs: line(700_000, 60_000),
      wallNs: [1, 1, 1, 1],
      serverLoopActiveNs: [1, 1, 1, 1],
    },
  });
  const near = (at: Partial<Figure>, expected: number): void =>
    assert.ok(Math.abs(valueOf(figures, at)! / expected - 1) < 1e-9, JSON.stringify(at));
  near({ role: 'relay', kind: 'connection' }, 900_000);
  near({ role: 'relay', kind: 'message' }, 40_000);
  near({ role: 'sender', kind: 'connection' }, 700_000);
  near({ role: 'sender', kind: 'message' }, 60_000);
  near({ role: 'relay', kind: 'at-1' }, 940_000);
  near({ role: 'relay', kind: 'at-100' }, 49_000);
});

test('an open loop gives times by what was asked, and rates of messages alone', () => {
  const openLoop = openLoopOf(200);
  const response = figuresOf('response-time', { openLoop });
  assert.ok(Math.abs(valueOf(response, { kind: 'append', statistic: 'p50' })! / 2e6 - 1) < 0.01);
  const service = figuresOf('service-time', { openLoop });
  assert.ok(Math.abs(valueOf(service, { kind: 'fetch', statistic: 'p50' })! / 1e6 - 1) < 0.01);
  assert.equal(
    valueOf(service, { kind: 'append', statistic: 'p99' }),
    undefined,
    'too few samples',
  );
  assert.equal(valueOf(figuresOf('offered-rate', { openLoop }), {}), 200);
  assert.equal(valueOf(figuresOf('completed-rate', { openLoop }), {}), 100);
});

test('the rate of a knee is what was found, and none where there is none', () => {
  const windows = { load: [], completedShare: [], responseNs: [], lagNs: [], isValid: [] };
  const found = {
    boundNs: 25e6,
    windows,
    end: { kind: 'found', load: 900, above: 1_000 },
  } as const;
  const [rate] = figuresOf('knee-rate', { knee: found });
  assert.equal(rate!.value, 900);
  const gaveUp = { ...found, end: { kind: 'gave-up', reason: 'noise', met: 500 } } as const;
  assert.deepEqual(figuresOf('knee-rate', { knee: gaveUp }), []);
});
