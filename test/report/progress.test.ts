import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, Progress, type ProgressOptions } from '../../src/report/progress.ts';

interface Bench {
  readonly progress: Progress;
  /** Everything written since the last call. */
  readonly written: () => string;
  readonly pass: (ms: number) => void;
}

function bench(changes: Partial<ProgressOptions> = {}): Bench {
  let nowMs = 5_000;
  let text = '';
  const progress = new Progress({
    plan: [
      { cell: 's/fast/native/chat/t1', repeats: 2 },
      { cell: 's/slow/native/chat/t1', repeats: 2 },
    ],
    write: (more) => (text += more),
    now: () => nowMs,
    interactive: false,
    ...changes,
  });
  return {
    progress,
    written() {
      const all = text;
      text = '';
      return all;
    },
    pass: (ms) => (nowMs += ms),
  };
}

const FAST = 's/fast/native/chat/t1';
const SLOW = 's/slow/native/chat/t1';

test('off a terminal every finished repeat is one line', () => {
  const { progress, written, pass } = bench();
  progress.started(FAST);
  pass(2_000);
  progress.finished('ok');
  progress.started(SLOW);
  pass(10_000);
  progress.finished('error', 'message 1 was\nnot delivered');
  progress.redraw();
  progress.end();
  assert.equal(
    written(),
    [
      '1/4 s/fast/native/chat/t1 repeat 1/2 2.0 s ETA 6.0 s',
      String.raw`2/4 s/slow/native/chat/t1 repeat 1/2 10.0 s error: message 1 was\x0anot delivered ETA 12.0 s`,
      '',
    ].join('\n'),
  );
});

test('the last line has no ETA', () => {
  const { progress, written } = bench({ plan: [{ cell: FAST, repeats: 1 }] });
  progress.started(FAST);
  progress.finished('ok');
  assert.equal(written(), '1/1 s/fast/native/chat/t1 repeat 1/1 0.0 s\n');
});

test('a resumed run counts the repeats that were finished before', () => {
  const { progress, written } = bench({ plan: [{ cell: FAST, repeats: 2, before: 1 }] });
  progress.started(FAST);
  progress.finished('ok');
  assert.equal(written(), '1/2 s/fast/native/chat/t1 repeat 2/3 0.0 s ETA 0.0 s\n');
});

test('what remains is each cell at its own mean, or at the mean of all, less what has run', () => {
  const { progress, pass } = bench();
  assert.equal(progress.remainingMs(), undefined);
  progress.started(FAST);
  pass(2_000);
  progress.finished('ok');
  assert.equal(progress.remainingMs(), 6_000);
  progress.started(SLOW);
  pass(500);
  assert.equal(progress.remainingMs(), 5_500);
  pass(9_500);
  assert.equal(progress.remainingMs(), 4_000, 'a repeat that overruns takes no time from others');
  progress.finished('ok');
  assert.equal(progress.remainingMs(), 12_000);
});

test('on a terminal one line is redrawn, and failures stay above it', () => {
  const { progress, written, pass } = bench({ interactive: true, width: 100 });
  progress.started(FAST);
  assert.equal(written(), `\r\u001B[K[${'.'.repeat(20)}] 0/4 0.0 s  ${FAST} 1/2`);
  pass(2_000);
  progress.finished('ok');
  assert.equal(written(), `\r\u001B[K[#####${'.'.repeat(15)}] 1/4 2.0 s ETA 6.0 s`);
  progress.started(FAST);
  written();
  progress.finished('unavailable');
  assert.ok(
    written().startsWith(`\r\u001B[K${FAST} repeat 2/2 unavailable\n\r\u001B[K[##########`),
  );
  progress.end();
  assert.equal(written(), '\r\u001B[K');
  progress.end();
  assert.equal(written(), '');
});

test('the line never fills the terminal', () => {
  const { progress, written } = bench({ interactive: true, width: 30 });
  progress.started(FAST);
  assert.equal(written().slice('\r\u001B[K'.length).length, 29);
});

test('an empty plan draws nothing', () => {
  const { progress, written } = bench({ interactive: true, plan: [] });
  progress.redraw();
  progress.end();
  assert.equal(written(), '');
  assert.equal(progress.remainingMs(), undefined);
});

test('a cell that was not planned and an end without a start are mistakes of the caller', () => {
  const { progress } = bench();
  assert.throws(() => progress.started('other'), RangeError);
  assert.throws(() => progress.finished('ok'), RangeError);
});

test('a cell that needs no more repeats leaves the total and the time that is left', () => {
  const { progress, written, pass } = bench({ atMost: true });
  for (const cell of [FAST, SLOW]) {
    progress.started(cell);
    pass(3_000);
    progress.finished('ok');
  }
  assert.match(written(), /^2\/4 .* ETA at most 6\.0 s\n$/m);
  progress.settled(FAST);
  assert.equal(progress.remainingMs(), 3_000);
  progress.settled(FAST);
  progress.started(SLOW);
  pass(3_000);
  progress.finished('ok');
  assert.equal(written(), `3/3 ${SLOW} repeat 2/2 3.0 s\n`);
  assert.throws(() => progress.settled('other'), RangeError);
});

test('durations read as seconds, minutes and hours', () => {
  assert.equal(formatDuration(4_240), '4.2 s');
  assert.equal(formatDuration(59_949), '59.9 s');
  assert.equal(formatDuration(59_950), '1:00 min');
  assert.equal(formatDuration(185_000), '3:05 min');
  assert.equal(formatDuration(3_599_600), '1:00:00 h');
  assert.equal(formatDuration(3_723_000), '1:02:03 h');
});

test('how far a repeat is stands on the line of a terminal, before the cell', () => {
  const { progress, written } = bench({ interactive: true, width: 200 });
  progress.live('nothing runs');
  assert.equal(written(), '');
  progress.started(FAST);
  progress.live('5 of 9 messages');
  assert.match(written(), /5 of 9 messages {2}s\/fast\/native\/chat\/t1 1\/2$/);
  progress.finished('ok');
  assert.doesNotMatch(written(), /5 of 9/);
});

test('off a terminal there is such a line every half minute only', () => {
  const { progress, written, pass } = bench();
  progress.started(FAST);
  pass(29_000);
  progress.live('early');
  assert.equal(written(), '');
  pass(1_000);
  progress.live('1 of 2 sessions');
  progress.live('at once again');
  assert.equal(written(), `${FAST}: 1 of 2 sessions\n`);
});
