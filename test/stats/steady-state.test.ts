import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../src/core/random.ts';
import { steadyStateOf, type SteadyClass } from '../../src/stats/steady-state.ts';
import { draw } from './coverage.ts';

const BLOCKS = 60;
const QUIET = draw(BLOCKS, () => 180);

/**
 * In how many of 100 processes a class is found whose blocks scatter by 15 %, as messages differ.
 *
 * @param levelOf What a block costs without scatter.
 */
function timesFound(sought: SteadyClass, levelOf: (block: number) => number): number {
  const random = new SeededRandom(11);
  const processes = draw(100, () =>
    draw(BLOCKS, (block) => levelOf(block) * Math.exp(0.15 * random.normal())),
  );
  return processes.filter((costs) => steadyStateOf(costs, QUIET)!.class === sought).length;
}

test('blocks that only scatter are flat', () => {
  assert.ok(timesFound('flat', () => 100) >= 95);
  assert.deepEqual(steadyStateOf(QUIET, QUIET), { class: 'flat', unsettledBlocks: 0 });
});

test('a planted warm-up is found, and where it ended', () => {
  assert.ok(timesFound('warm-up', (block) => (block < 20 ? 2 : 1)) >= 95);
  const bare = draw(BLOCKS, (block) => (block < 24 ? 200 : 100));
  assert.deepEqual(steadyStateOf(bare, QUIET), { class: 'warm-up', unsettledBlocks: 24 });
});

test('a planted slowdown is found', () => {
  assert.ok(timesFound('slowdown', (block) => (block < 20 ? 1 : 2)) >= 95);
});

test('what goes on changing never settled', () => {
  assert.ok(timesFound('never-settled', (block) => 1 + block / 20) >= 90);
  const alternating = draw(BLOCKS, (block) => (Math.floor(block / 12) % 2 === 0 ? 100 : 150));
  assert.deepEqual(steadyStateOf(alternating, QUIET), {
    class: 'never-settled',
    unsettledBlocks: BLOCKS,
  });
});

test('a change in the last windows never settled, for nothing shows that it ended', () => {
  const late = draw(BLOCKS, (block) => (block < 36 ? 100 : 150));
  assert.equal(steadyStateOf(late, QUIET)!.class, 'never-settled');
});

test('what the reference kernel did as well is the machine, not the code', () => {
  const speeds = draw(BLOCKS, (block) => (block < 24 ? 1.4 : 1));
  const both = speeds.map((speed) => 100 * speed);
  const kernel = speeds.map((speed) => 180 * speed);
  assert.equal(steadyStateOf(both, kernel)!.class, 'flat');
  assert.equal(steadyStateOf(both, QUIET)!.class, 'warm-up');
  const unread = draw(BLOCKS, () => 0);
  assert.equal(steadyStateOf(both, unread)!.class, 'warm-up');
});

test('single wild blocks, as a collection of garbage makes them, unsettle nothing', () => {
  const wild = draw(BLOCKS, (block) => (block % 7 === 0 ? 900 : 100));
  assert.equal(steadyStateOf(wild, QUIET)!.class, 'flat');
});

test('of fewer than 15 blocks nothing can be told, and columns must be of equal length', () => {
  assert.equal(steadyStateOf(QUIET.slice(0, 14), QUIET.slice(0, 14)), undefined);
  assert.equal(steadyStateOf(QUIET.slice(0, 15), QUIET.slice(0, 15))!.class, 'flat');
  assert.throws(() => steadyStateOf([1, 2], [1]), /"reference" expected one value per value/);
});
