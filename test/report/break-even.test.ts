import assert from 'node:assert/strict';
import { test } from 'node:test';
import { breakEvenOf, type BreakEven } from '../../src/report/break-even.ts';
import { deriveCells, type CellResult } from '../../src/report/cells.ts';
import { L4, L5, recordsOfCosts, type Costs } from './fixtures.ts';

/** @param opening CPU of opening beyond what receiving the first message costs. */
function costs(message: number, opening: number): Costs {
  const receiver = message / 2;
  return {
    sender: message / 2,
    relay: 0,
    receiver,
    opening: { publish: 0, initiate: opening, accept: receiver },
  };
}

async function between(upper: readonly Costs[], lower: readonly Costs[]): Promise<BreakEven> {
  const [below, above] = await deriveCells([
    ...recordsOfCosts(L4, lower),
    ...recordsOfCosts(L5, upper),
  ]);
  const even = breakEvenOf(above!, below!);
  assert.ok(even !== undefined);
  return even;
}

const pipelineOf = ({ pipeline }: CellResult): string => pipeline;
const twice = (cost: Costs): Costs[] => [cost, cost];
const thrice = (cost: Costs): Costs[] => [cost, cost, cost];

test('a dearer opening is paid back by what its messages save', async () => {
  const even = await between(thrice(costs(600, 5_000)), thrice(costs(1_000, 1_000)));
  assert.equal(even.verdict, 'after');
  // 4,000 ns more, at 400 ns a message.
  assert.deepEqual(even.messages, { value: 10, low: 10, high: 10, repeats: 3 });
  assert.equal(pipelineOf(even.dearerToOpen), 'forward-secrecy');
  assert.equal(5_000 + 10 * 600, 1_000 + 10 * 1_000);
});

test('the lower rung may be the one whose opening is dearer', async () => {
  const even = await between(thrice(costs(1_000, 1_000)), thrice(costs(900, 2_000)));
  assert.equal(even.messages?.value, 10);
  assert.equal(pipelineOf(even.dearerToOpen), 'static-e2e');
  assert.equal(pipelineOf(even.other), 'forward-secrecy');
});

test('it is never paid back when a message costs more as well', async () => {
  const even = await between(thrice(costs(1_000, 2_000)), thrice(costs(900, 1_000)));
  assert.deepEqual([even.verdict, even.messages], ['never', undefined]);
});

test('fewer repeats than an interval takes decide nothing', async () => {
  const even = await between(twice(costs(600, 5_000)), twice(costs(1_000, 1_000)));
  assert.deepEqual([even.verdict, even.messages], ['undecided', undefined]);
});

test('repeats that disagree about either difference decide nothing', async () => {
  const lower = thrice(costs(1_000, 1_000));
  const wavering = [costs(600, 5_000), costs(1_400, 5_000), costs(700, 5_000)];
  assert.equal((await between(wavering, lower)).verdict, 'undecided');
  const openings = [costs(600, 500), costs(600, 5_000), costs(600, 1_000)];
  assert.equal((await between(openings, lower)).verdict, 'undecided');
  assert.equal((await between(lower, lower)).verdict, 'undecided');
});

test('one repeat that saves nothing leaves it undecided, even where no interval could tell', async () => {
  const lower = [costs(1_000, 1_000), costs(1_000, 1_000)];
  const even = await between([costs(600, 5_000), costs(1_100, 5_000)], lower);
  assert.equal(even.verdict, 'undecided');
});

test('each repeat is taken by itself and then summarised', async () => {
  const lower = [costs(1_000, 1_000), costs(1_100, 1_100), costs(1_000, 1_000)];
  const upper = [costs(600, 5_000), costs(660, 6_600), costs(600, 5_400)];
  const { messages } = await between(upper, lower);
  // 4,000 / 400, 5,500 / 440 and 4,400 / 400.
  assert.equal(messages?.value, 11);
  assert.ok(messages.low! < 10 && messages.high! > 12.5);
});

test('without an opening there is nothing to pay back', async () => {
  const bare = { sender: 1, relay: 1, receiver: 1 };
  const [lower, upper] = await deriveCells([
    ...recordsOfCosts(L4, [bare]),
    ...recordsOfCosts(L5, [bare]),
  ]);
  const even = breakEvenOf(upper!, lower!);
  assert.equal(even?.verdict, 'undecided');
  assert.equal(breakEvenOf({ ...upper!, series: new Map() }, lower!), undefined);
});
