import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overheadOf, overheadShare, overheadWarning } from '../../src/report/overhead.ts';
import { deriveRows } from '../../src/report/rows.ts';
import { record, recordsOfCosts, shard } from './fixtures.ts';

const CALIBRATION = {
  overhead: { cpuNs: { value: 10 }, latencyNs: { value: 50 }, emptyCallNs: { send: 170 } },
};
const OVERHEAD = overheadOf({ calibration: CALIBRATION })!;

const at = (metric: string, role: string, kind = ''): Parameters<typeof overheadShare>[0] =>
  ({ metric, unit: 'ns', stage: '', role, kind, statistic: 'median' }) as const as never;

const share = (metric: string, role: string, kind = ''): number | undefined =>
  overheadShare(at(metric, role, kind), 1_000, OVERHEAD);

test('the harness is counted once per call that a figure holds', () => {
  assert.equal(share('cpu', 'sender'), 0.01);
  assert.equal(share('cpu-per-message', 'relay'), 0.02);
  assert.equal(share('cpu-per-message', 'all'), 0.04);
  assert.equal(share('cpu-opening', 'receiver'), 0.02);
  assert.equal(share('latency', 'sender'), 0.05);
  assert.equal(share('cpu-per-message', 'authority', 'per-carried'), undefined);
  assert.equal(share('wire-bytes', ''), undefined);
});

test('what was not calibrated, or is nothing, has no share', () => {
  assert.equal(overheadShare(at('cpu', 'sender'), 1_000, undefined), undefined);
  assert.equal(overheadShare(at('cpu', 'sender'), 0, OVERHEAD), undefined);
  assert.equal(overheadWarning(at('cpu', 'sender'), 1_000, undefined), '');
});

test('a figure is warned of when the harness is more than 5 % of it', () => {
  assert.equal(overheadWarning(at('cpu', 'sender'), 200, OVERHEAD), '');
  assert.equal(
    overheadWarning(at('cpu', 'sender'), 199, OVERHEAD),
    'the harness itself is 5.03 % of it (10 ns of each call)',
  );
});

test('rows carry the warning where a figure is small, and no others', async () => {
  const manifest = {
    suite: { name: 'x/mine' },
    startedAt: '2026-11-02T12:00:00.123Z',
    git: null,
    cells: [],
    calibration: CALIBRATION,
  };
  const costs = { sender: 190, relay: 40_000, receiver: 50_000 };
  const rows = await deriveRows(manifest, recordsOfCosts({}, [costs, costs, costs]));
  const reasons = new Map(
    rows.map(({ metric, role, reason }) => [[metric, role].join('/'), reason]),
  );
  assert.match(reasons.get('cpu-per-message/sender')!, /^the harness itself is 5\.26 % of it/);
  assert.equal(reasons.get('cpu-per-message/all'), '');
  assert.equal(reasons.get('cpu-per-message/receiver'), '');
});

test('rows of a cell that never settled say so, but not what is done before traffic', async () => {
  const rising = Array.from({ length: 20 }, (_, block) => ({
    messages: 10,
    kernelCpuNs: 180_000,
    cpu: { send: [10, 10_000 * (1 + block / 10)] as const },
  }));
  const opened = { messageIndex: 0, messages: 1, cpu: { accept: [1, 90_000] as const } };
  const manifest = {
    suite: { name: 'x/mine' },
    startedAt: '2026-11-02T12:00:00.123Z',
    git: null,
    cells: [],
  };
  const rows = await deriveRows(manifest, [record({ shards: [shard([opened, ...rising])] })]);
  const reasonsOf = (metric: string, stage: string): (string | undefined)[] =>
    rows.filter((row) => row.metric === metric && row.stage === stage).map(({ reason }) => reason);
  assert.deepEqual(reasonsOf('cpu', 'send'), ['never settled in 1 of 1 repeats']);
  assert.deepEqual(reasonsOf('cpu', 'accept'), ['']);
  assert.deepEqual(reasonsOf('gc-share', ''), []);
  const shares = rows.filter(({ metric }) => metric === 'steady-state');
  assert.deepEqual(
    shares.map(({ kind, statistic, value, reason }) => [kind, statistic, value, reason]),
    [
      ['flat', 'share', 0, ''],
      ['warm-up', 'share', 0, ''],
      ['slowdown', 'share', 0, ''],
      ['never-settled', 'share', 1, ''],
    ],
  );
});

test('a calibration of another shape is refused, and none is fine', () => {
  assert.equal(overheadOf({}), undefined);
  assert.deepEqual(OVERHEAD.emptyCallNs, { send: 170 });
  assert.throws(
    () => overheadOf({ calibration: { overhead: { cpuNs: 3 } } }),
    /manifest\.json: calibration: expected overhead with cpuNs/,
  );
});
