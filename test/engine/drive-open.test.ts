import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { OpenDrive } from '../../src/engine/drive-open.ts';
import { firstCommands, LaterCommands } from '../../src/engine/open-commands.ts';
import { OpenReadings } from '../../src/engine/open-readings.ts';
import { fellBehind } from '../../src/measure/generator.ts';
import { Payload } from '../../src/engine/payload.ts';
import type { Script } from '../../src/workload/script.ts';
import { copying, listener, MESSAGES, script, TestClock } from './_copying-parties.ts';

function exactly(histogram: OpenReadings['lag'], percentile: number): number {
  return histogram.valueAtPercentile(percentile)!;
}

test('times are those of a queue with one server, whatever the harness does in between', async () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 60 });
  const services = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 60, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(
      gaps,
      services,
      fc.integer({ min: 0, max: 500 }),
      async (gap, service, own) => {
        const clock = new TestClock();
        const { parties } = copying(clock, (n) => service[n]!);
        const { talk, faults } = listener(clock, own);
        const drive = new OpenDrive(parties, script, new Payload(1, 50), talk, clock);
        let due = 0;
        const offsets = Float64Array.from(gap, (one) => (due += one));
        const readings = new OpenReadings();
        const commands = new LaterCommands(script).take(gap.length);
        await drive.carry(commands, undefined, offsets, readings);

        let free = 0;
        let queued = 0;
        let slowest = 0;
        for (const [n, moment] of offsets.entries()) {
          if (free > moment) queued += 1;
          free = Math.max(free, moment) + service[n]!;
          slowest = Math.max(slowest, free - moment);
        }
        assert.deepEqual(faults, []);
        assert.equal(talk.tally.delivered, gap.length);
        assert.equal(readings.response.count, gap.length);
        assert.equal(readings.queued, queued);
        // Histograms keep three significant figures.
        assert.ok(Math.abs(exactly(readings.response, 100) - slowest) <= slowest / 1000);
        assert.deepEqual(readings.response.encode(), readings.unlagged.encode());
        assert.equal(exactly(readings.lag, 100), 1, 'a wait that ends in time is no lag');
        assert.equal(readings.elapsedNs, free);
        assert.equal(readings.scheduledNs, offsets.at(-1));
        assert.equal(readings.stoodStillNs, own * (gap.length - 1));
        assert.equal(fellBehind(readings.response, readings.unlagged), undefined);
      },
    ),
    { numRuns: 150 },
  );
});

/** 500 messages at gaps of 1,000 ns. */
async function late(oversleepNs: number, serviceNs: number): Promise<OpenReadings> {
  const clock = new TestClock();
  clock.oversleepNs = oversleepNs;
  const { talk } = listener(clock);
  const { parties } = copying(clock, () => serviceNs);
  const drive = new OpenDrive(parties, script, new Payload(1, 50), talk, clock);
  const offsets = Float64Array.from({ length: 500 }, (_, n) => n * 1_000);
  const readings = new OpenReadings();
  await drive.carry(new LaterCommands(script).take(500), undefined, offsets, readings);
  return readings;
}

test('a generator that oversleeps is told apart from a queue behind the system', async () => {
  const overloaded = await late(0, 1_500);
  assert.ok(exactly(overloaded.response, 50) > 100_000, 'the queue grows');
  assert.equal(exactly(overloaded.lag, 100), 1);
  assert.equal(fellBehind(overloaded.response, overloaded.unlagged), undefined);
  assert.equal(overloaded.queued, 499);

  const oversleeping = await late(300, 400);
  assert.equal(exactly(oversleeping.lag, 50), 300);
  assert.equal(exactly(oversleeping.response, 50), 700);
  assert.match(
    fellBehind(oversleeping.response, oversleeping.unlagged)!,
    /^the generator itself fell behind: 1 message in 100 took 0.7 us or more .* taken 0.4 us/,
  );
  const hardlyLate = await late(30, 400);
  assert.equal(fellBehind(hardlyLate.response, hardlyLate.unlagged), undefined);
});

test('one long sleep makes a run invalid by the messages that it made late', async () => {
  const clock = new TestClock();
  const { talk } = listener(clock);
  const { parties, seen } = copying(clock, () => 100);
  const wait = clock.waitUntil.bind(clock);
  clock.waitUntil = (momentNs) => {
    wait(momentNs);
    if (seen.length === 50) clock.now += 20_000;
  };
  const drive = new OpenDrive(parties, script, new Payload(1, 50), talk, clock);
  const offsets = Float64Array.from({ length: 1_000 }, (_, n) => n * 1_000);
  const readings = new OpenReadings();
  await drive.carry(new LaterCommands(script).take(1_000), undefined, offsets, readings);
  assert.equal(exactly(readings.lag, 99), 1, 'only one message began late');
  assert.match(fellBehind(readings.response, readings.unlagged)!, /fell behind/);
});

test('every message is carried by its speaker, in turn, and its plaintext is checked', async () => {
  const clock = new TestClock();
  const { talk, faults } = listener(clock);
  const { parties, seen } = copying(clock, () => 1, {
    receive(n, length, out) {
      if (n === 2) out[0]! ^= 1;
      if (n === 3) return length - 1;
      return n === 4 ? -2 : length;
    },
    accept: (n) => n !== 5,
  });
  const drive = new OpenDrive(parties, script, new Payload(1, 50), talk, clock);
  await drive.carry(firstCommands(script));
  await drive.carry(new LaterCommands(script).take(9));
  assert.deepEqual(
    seen.map(([session]) => session),
    [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2],
  );
  const speakers = [0, 1, 2, 3].flatMap((message) =>
    [0, 1, 2].map((session) => script.speakers[session * MESSAGES + message]),
  );
  assert.deepEqual(
    seen.map(([, member]) => member),
    speakers,
  );
  assert.deepEqual(faults, [
    'the receiver got a plaintext that was not sent',
    'the receiver got a plaintext that was not sent',
    'expected the plaintext, the receiver did not get it',
    'the relay refused to store the frame',
    'expected the plaintext, the receiver did not get it',
  ]);
  assert.equal(talk.tally.sent, 12);
  assert.equal(talk.tally.delivered, 8);
  assert.equal(talk.tally.handshake.frames, 3);
  assert.equal(clock.waits, 0);
});

test('messages larger than the buffers find room', async () => {
  const clock = new TestClock();
  const { talk, faults } = listener(clock);
  const { parties } = copying(clock, () => 1);
  const large = { ...script, lengths: new Uint32Array(12).map((_, at) => 1 + at * 9_000) };
  const drive = new OpenDrive(parties, large, new Payload(1, 100_000), talk, clock);
  await drive.carry(firstCommands(large));
  await drive.carry(new LaterCommands(large).take(9));
  assert.deepEqual(faults, []);
  assert.equal(talk.tally.delivered, 12);
});

test('commands follow the order of a script whose sessions differ, and then begin anew', () => {
  const uneven: Script = {
    ...script,
    messages: 1,
    offsets: new Uint32Array([0, 1, 5, 8]),
    order: new Uint32Array([2, 0, 1, 1, 2, 1, 1, 2]),
    speakers: new Uint8Array(8),
    lengths: new Uint32Array(8).fill(9),
  };
  assert.deepEqual([...firstCommands(uneven).sessions], [2, 0, 1]);
  const later = new LaterCommands(uneven);
  const { sessions, messages } = later.take(5);
  assert.deepEqual([...sessions], [1, 2, 1, 1, 2]);
  assert.deepEqual([...messages], [1, 1, 2, 3, 2]);
  const again = later.take(3);
  assert.deepEqual([...again.sessions], [1, 2, 1]);
  assert.deepEqual([...again.messages], [4, 3, 5]);
});
