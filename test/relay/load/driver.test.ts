/** The driver against relays that lose, double, reorder or change what they carry: each is an error. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RelayClient } from '../../../src/relay/load/client.ts';
import { Courier } from '../../../src/relay/load/courier.ts';
import { Faults } from '../../../src/relay/load/delivery.ts';
import { driveOpenLoop, scheduleWith } from '../../../src/relay/load/open-loop.ts';
import { runLoad } from '../../../src/relay/load/run-load.ts';
import type { RelaySpec } from '../../../src/relay/load/spec.ts';
import { Histogram } from '../../../src/measure/histogram.ts';
import { loadWorkload } from '../../../src/suite/parse.ts';
import type { MadeFrame } from '../../../src/relay/load/courier.ts';
import { PlainEnds, PlantedRelay, type Plant } from './_planted-relay.ts';

const { workload } = await loadWorkload('one-way');

function specOf(load: RelaySpec['load'], changes: Partial<RelaySpec> = {}): RelaySpec {
  return {
    kind: 'relay',
    load,
    cell: 'test/plaintext/null/one-way/t1',
    pipeline: 'plaintext',
    options: { hop: 'none', rest: 'none' },
    provider: 'null',
    workload,
    tls: 'none',
    store: 'memory',
    clients: 8,
    messagesPerFetch: 5,
    seed: 1,
    repeat: 0,
    purpose: 'measure',
    warmupMs: 0,
    timedMs: 400,
    ...changes,
  };
}

/** One block of an open loop: `count` messages, one every 2 ms, over few mailboxes. */
async function drive(plant: Plant, count = 60): Promise<{ faults: Faults; courier: Courier }> {
  await using relay = await PlantedRelay.start(plant);
  const client = new RelayClient({ origin: relay.origin }, 8);
  const faults = new Faults();
  try {
    const ends = new PlainEnds(4);
    const courier = await Courier.open(ends, client, faults);
    await courier.begin();
    const sessions = Array.from({ length: count }, (_, message) => message % ends.sessions);
    const appends = courier.appendsOf(ends.makeBlock(sessions));
    const dueNs = appends.map((_, index) => index * 2e6);
    const schedule = scheduleWith(appends, dueNs, 5);
    const { tokens } = courier;
    const result = await driveOpenLoop({ client, tokens, schedule, faults });
    await courier.settle(appends, result.fetched);
    return { faults, courier };
  } finally {
    await client.close();
  }
}

test('a relay that does as it must has no fault, and every message is opened', async () => {
  const { faults, courier } = await drive('nothing');
  assert.deepEqual(faults.first, []);
  assert.equal(courier.sent, 64);
  assert.equal(courier.delivered, 64);
});

const FAULTS: readonly [Plant, RegExp][] = [
  ['loses', /was acknowledged and not delivered/],
  ['duplicates', /delivered twice|came again after it was acknowledged/],
  ['corrupts', /message \d+: it opened to another plaintext/],
  ['reorders', /frame \d+ came after frame \d+/],
  ['refuses', /message \d+ was refused with 507/],
  ['breaks off', /message \d+ was not taken/],
  ['two of one id', /two frames were given the id/],
];
for (const [plant, expected] of FAULTS) {
  test(`a relay that ${plant} is found out`, async () => {
    const { faults } = await drive(plant);
    assert.ok(
      faults.first.some((fault) => expected.test(fault)),
      `expected ${expected}, found ${JSON.stringify(faults.first)}`,
    );
  });
}

test('a load of a relay that loses is an error, whatever figures it has', async () => {
  const relay = await PlantedRelay.start('loses');
  const spec = specOf('knee', { boundMs: 1_000 });
  const report = await runLoad(spec, new PlainEnds(4), () => Promise.resolve(relay.started()));
  assert.equal(report.status, 'error');
  assert.match(report.reason!, /not delivered/);
});

const HANDED: readonly [Plant, RegExp][] = [
  ['hands over less', /of a target was not handed over/],
  ['hands over twice', /was handed frame \d+ of mailbox \d+ twice/],
  ['hands over others', /the authority recovered another plaintext/],
];
for (const [plant, expected] of HANDED) {
  test(`a relay that ${plant} is found out`, async () => {
    const relay = await PlantedRelay.start(plant);
    const spec = specOf('hand-over', { ratePerSecond: 200 });
    const report = await runLoad(spec, new PlainEnds(2), () => Promise.resolve(relay.started()));
    assert.equal(report.status, 'error');
    assert.match(report.reason!, expected);
  });
}

test('a hand-over of everything is accounted for, with a time for each message', async () => {
  const relay = await PlantedRelay.start('nothing');
  const spec = specOf('hand-over', { ratePerSecond: 200 });
  const { reason, relay: facts } = await runLoad(spec, new PlainEnds(2), () =>
    Promise.resolve(relay.started()),
  );
  const handed = facts!.handOver!;
  assert.ok(handed.due > 0, reason ?? 'none was due');
  assert.deepEqual([handed.handed, handed.recovered], [handed.due, handed.due]);
  assert.equal(Histogram.decode(handed.latency).count, handed.due);
});

test('what is late is recorded as late: in the lag, and in the response time', async () => {
  await using relay = await PlantedRelay.start('nothing');
  const client = new RelayClient({ origin: relay.origin }, 2);
  const faults = new Faults();
  const ends = new PlainEnds(1);
  const courier = await Courier.open(ends, client, faults);
  await courier.begin();
  const appends = courier.appendsOf(ends.makeBlock([0, 0, 0]));
  const schedule = scheduleWith(appends, [5e6, 10e6, 15e6], 5);
  const running = driveOpenLoop({ client, tokens: courier.tokens, schedule, faults });
  // The driver is kept from its work for longer than all of its schedule.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60);
  const { append } = await running;
  await client.close();
  assert.ok(Histogram.decode(append.lag).min! > 40e6);
  assert.ok(Histogram.decode(append.response).min! > 40e6);
  assert.equal(append.messages, 3);
});

/** Ends that take turns from block to block; the driver stands still in the first that is timed. */
class AnsweringEnds extends PlainEnds {
  override readonly isAnonymous = true;
  #blocks = 0;

  override makeBlock(sessions: Iterable<number>): MadeFrame[] {
    this.#blocks += 1;
    if (this.#blocks === 2) setTimeout(standStill, 150);
    const frames = super.makeBlock(sessions);
    if (this.#blocks % 2 === 1) return frames;
    return frames.map((frame) => ({ ...frame, from: frame.to, to: frame.from }));
  }
}

function standStill(): void {
  const endMs = performance.now() + 100;
  while (performance.now() < endMs);
}

test('a hand-over in which the driver was late is timed again, with the same ends speaking', async () => {
  const relay = await PlantedRelay.start('nothing');
  const spec = specOf('hand-over', { ratePerSecond: 200 });
  const report = await runLoad(spec, new AnsweringEnds(2), () => Promise.resolve(relay.started()));
  assert.notEqual(report.status, 'error', String(report.reason));
  const { openLoop, handOver, delivery } = report.relay!;
  assert.ok(openLoop!.windows! > 1, 'one window');
  // Where senders are not named, a target is handed over that is sent to.
  assert.ok(handOver!.due > 0, 'none was due');
  assert.deepEqual([handOver!.handed, handOver!.recovered], [handOver!.due, handOver!.due]);
  assert.equal(delivery.delivered, delivery.sent);
});
