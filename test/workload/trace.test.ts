import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { scriptOfTrace } from '../../src/workload/script-of-trace.ts';
import { packTrace, unpackTrace, type Trace } from '../../src/workload/trace.ts';
import { TraceReader } from '../../src/workload/trace-reader.ts';
import { workloadOfTrace } from '../../src/workload/workload-of-trace.ts';
import { workloadSchema } from '../../src/workload/workload.ts';

interface Line {
  readonly gapMs: number;
  readonly session: number;
  readonly isSecond: boolean;
  readonly bytes: number;
}

const lines = fc.array(
  fc.record({
    gapMs: fc.integer({ min: 0, max: 100_000 }),
    session: fc.nat({ max: 6 }),
    isSecond: fc.boolean(),
    bytes: fc.integer({ min: 1, max: 1_048_576 }),
  }),
  { minLength: 1, maxLength: 60 },
);

function read(given: readonly Line[]): Trace {
  const reader = new TraceReader();
  let time = 1_700_000_000_000;
  for (const [at, { gapMs, session, isSecond, bytes }] of given.entries()) {
    time += gapMs;
    const sender = isSecond ? `user ${session + 1}` : `user ${session}`;
    reader.add(JSON.stringify({ time, session: `s${session}`, sender, bytes }), `t:${at + 1}`);
  }
  return reader.finish('t');
}

test('what is read is packed, unpacked and scripted without loss, for any split into shards', () => {
  fc.assert(
    fc.property(lines, fc.nat({ max: 7 }), (given, split) => {
      const trace = read(given);
      const packed = packTrace(trace);
      assert.deepEqual(unpackTrace(packed), trace);
      assert.equal(trace.atMs.length, given.length);
      assert.deepEqual(
        [...trace.bytes],
        given.map(({ bytes }) => bytes),
      );

      const cut = Math.min(split, packed.sessions);
      const scripts = [
        { first: 0, script: scriptOfTrace(trace, 0, cut) },
        { first: cut, script: scriptOfTrace(trace, cut, packed.sessions - cut) },
      ];
      let messages = 0;
      for (const { first, script } of scripts) {
        const sessions = script.offsets.length - 1;
        messages += script.lengths.length;
        assert.deepEqual(
          [...script.order.subarray(0, sessions)].sort((a, b) => a - b),
          Array.from({ length: sessions }, (_, session) => session),
        );
        for (let session = 0; session < sessions; session++) {
          const own = [...trace.sessions.keys()].filter(
            (i) => trace.sessions[i] === first + session,
          );
          const [from, to] = [script.offsets[session]!, script.offsets[session + 1]!];
          assert.deepEqual(
            [...script.lengths.subarray(from, to)],
            own.map((i) => trace.bytes[i]),
          );
          assert.deepEqual(
            [...script.speakers.subarray(from, to)],
            own.map((i) => trace.members[i]),
          );
          assert.equal(script.speakers[from], 0, 'who begins is member 0');
          assert.notEqual(script.members[session * 2], script.members[session * 2 + 1]);
        }
        assert.ok(script.momentsMs.every((at, i) => at >= (script.momentsMs[i - 1] ?? 0)));
      }
      assert.equal(messages, given.length);
      workloadSchema.parse(workloadOfTrace('mine', trace, packed, 100));
    }),
    { numRuns: 80 },
  );
});

test('the same sender in two sessions is one user, and one who never writes is another', () => {
  const reader = new TraceReader();
  reader.add('{"time":"2026-01-31T12:00:00Z","session":1,"sender":"ann","bytes":5}', 't:1');
  reader.add('{"time":"2026-01-31T12:00:00.5Z","session":2,"sender":"bob","bytes":5}', 't:2');
  reader.add('{"time":"2026-01-31T13:00:01+01:00","session":2,"sender":"ann","bytes":5}', 't:3');
  const trace = reader.finish('t');
  assert.deepEqual([...trace.users], [0, 2, 1, 0]);
  assert.deepEqual([...trace.atMs], [0, 500, 1_000]);
  const text = JSON.stringify(workloadOfTrace('mine', trace, packTrace(trace), undefined));
  assert.doesNotMatch(text, /ann|bob/);
});

test('lines that are no metadata are refused by their number, and nothing of them is quoted', () => {
  const fine = { time: 5, session: 'a', sender: 'b', bytes: 9 };
  const cases: [unknown, RegExp][] = [
    [{ ...fine, text: 'secret' }, /^t:2: unknown field "text"; a trace is metadata only/],
    [{ ...fine, time: 4 }, /^t:2: time: expected no earlier one/],
    [{ ...fine, time: 'yesterday secret' }, /^t:2: time: expected milliseconds/],
    [{ ...fine, bytes: 0 }, /^t:2: bytes: expected an integer from 1/],
    [{ ...fine, bytes: '9 secret' }, /^t:2: bytes: /],
    [{ ...fine, session: '' }, /^t:2: session: expected a number or a text/],
    [{ ...fine, session: ['secret'] }, /^t:2: session: /],
    [{ ...fine, sender: undefined }, /^t:2: sender: /],
    [{ ...fine, sender: 'x'.repeat(201) }, /^t:2: sender: /],
    [['secret'], /^t:2: expected an object with time, session, sender, bytes/],
    ['secret', /^t:2: expected an object/],
  ];
  for (const [line, pattern] of cases) {
    const reader = new TraceReader();
    reader.add(JSON.stringify(fine), 't:1');
    assert.throws(
      () => reader.add(JSON.stringify(line), 't:2'),
      (error: Error & { code?: unknown }) => {
        assert.equal(error.code, 'BAD_INPUT');
        assert.match(error.message, pattern);
        assert.doesNotMatch(error.message, /secret|xxx/);
        return true;
      },
    );
  }
  assert.throws(
    () => new TraceReader().add('{"time":1,', 't:1'),
    /^HarnessError: t:1: expected JSON/,
  );
  assert.throws(() => new TraceReader().finish('t'), /t: expected a line for each message/);
  const group = new TraceReader();
  group.add(JSON.stringify(fine), 't:1');
  group.add(JSON.stringify({ ...fine, sender: 'c' }), 't:2');
  assert.throws(
    () => group.add(JSON.stringify({ ...fine, sender: 'd' }), 't:3'),
    /t:3: sender: .* third/,
  );
});

test('a packed trace that was changed is refused', () => {
  const packed = packTrace(read([{ gapMs: 0, session: 0, isSecond: false, bytes: 7 }]));
  for (const changed of [
    { ...packed, messages: 2 },
    { ...packed, sessions: 2 },
    { ...packed, packed: packed.packed.slice(4) },
    { ...packed, packed: '' },
  ]) {
    assert.throws(
      () => unpackTrace(changed),
      /trace\.packed: expected what sealbench import-trace writes/,
    );
  }
});
