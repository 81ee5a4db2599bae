import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RelayFacts } from '../../src/measure/relay-facts.ts';
import { deriveCells } from '../../src/report/cells.ts';
import { relaySummary } from '../../src/report/relay.ts';
import { deriveRows } from '../../src/report/rows.ts';
import { renderSummary } from '../../src/report/summary.ts';
import type { RepeatRecord } from '../../src/results/record.ts';
import { closedLoopOf, openLoopOf, relayRecordOf } from './relay-fixtures.ts';

const SUITE = { title: 'The title', question: 'The question?', analysis: ['How to read.'] };
const MEMORY = 'one-way:store=memory,tls=none';
const TLS = 'one-way:store=memory,tls=x25519-mlkem768';

async function printed(records: readonly RepeatRecord[], baseline?: string): Promise<string> {
  const cells = await deriveCells(
    records,
    records.map(({ cell }) => cell),
  );
  const suite = { ...SUITE, ...(baseline === undefined ? {} : { baseline }) };
  return renderSummary(relaySummary({ suite, cells, records, pipelines: [] }), { width: 200 });
}

/** Three repeats that differ a little. */
function repeats(
  pipeline: string,
  workload: string,
  factsOf: (scale: number) => Partial<RelayFacts>,
) {
  return [0.99, 1, 1.01].map((scale, repeat) =>
    relayRecordOf(pipeline, workload, repeat, factsOf(scale)),
  );
}

const cpuOf = (cpuNs: number) => (scale: number) => ({
  closedLoop: closedLoopOf({ requests: 1_000, cpuNs: cpuNs * scale, wallNs: 1e8 }),
});

test('saturation: CPU per message, ratios to the baseline, and what TLS adds', async () => {
  const text = await printed(
    [
      ...repeats('plaintext', MEMORY, cpuOf(50e6)),
      ...repeats('double-ratchet', MEMORY, cpuOf(50e6)),
      ...repeats('at-rest', MEMORY, cpuOf(100e6)),
      ...repeats('at-rest', TLS, cpuOf(150e6)),
    ],
    'double-ratchet',
  );
  assert.match(text, /one-way, no TLS, kept in memory/);
  assert.match(text, /plaintext +70\.0 \[.*1 \[|plaintext +70/);
  assert.match(text, /a message of at-rest takes the relay 2 times \(95 % interval .*\) the CPU/);
  assert.match(
    text,
    /at-rest, .*X25519MLKEM768, kept in memory: 1\.50 times .* the CPU per message of no TLS/,
  );
  assert.match(text, /4,?800 messages|4800 messages/);
  assert.match(text, /no latency is taken from it/);
});

test('a cell that is invalid or wrong has its reason in the place of numbers', async () => {
  const text = await printed([
    relayRecordOf('plaintext', MEMORY, 0, {}, { status: 'invalid', reason: 'the driver was busy' }),
    relayRecordOf('at-rest', MEMORY, 0, {}, { status: 'error', reason: 'message 3 was lost' }),
  ]);
  assert.match(text, /plaintext +invalid: the driver was busy/);
  assert.match(text, /at-rest +error: message 3 was lost/);
});

test('a knee is printed with the times at half of it', async () => {
  const windows = { load: [], completedShare: [], responseNs: [], lagNs: [], isValid: [] };
  const text = await printed(
    repeats('double-ratchet', MEMORY, (scale) => ({
      load: 'knee',
      knee: { boundNs: 25e6, windows, end: { kind: 'found', load: 900 * scale, above: 1_000 } },
      openLoop: openLoopOf(4_000),
    })),
  );
  assert.match(text, /double-ratchet +900 \[/);
  assert.match(text, /The driver was busy for 30 %/);
});

test('rows have the metrics, and the options of the load among their parameters', async () => {
  const records = repeats('at-rest', TLS, cpuOf(100e6));
  const run = {
    suite: { name: 'curated/relay' },
    startedAt: '2026-01-31T12:00:00Z',
    git: null,
    cells: [records[0]!.cell],
  };
  const rows = await deriveRows(run, records);
  const cpu = rows.find(({ metric, kind }) => metric === 'server-cpu-per-request' && kind === '');
  assert.equal(cpu!.value, 100_000);
  assert.equal(cpu!.role, 'relay');
  assert.equal(cpu!.params, 'workload.store=memory,workload.tls=x25519-mlkem768');
});
