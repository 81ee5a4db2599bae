/** `doctor` through its real entry point; the processes that it compares are made up. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sealbench, type Circumstances } from './_command-line.ts';

interface Diagnosis {
  readonly verdict: string;
  readonly cores: number;
  readonly noise: { readonly kernelNs: number; readonly kernelSpread: number };
  readonly same?: {
    readonly cell: string;
    readonly pairs: readonly { aNs: number; bNs: number; first: string }[];
    readonly ratio: number;
    readonly low: number;
    readonly high: number;
    readonly floor: number;
    readonly smallest: readonly { pairs: number; difference: number }[];
  };
  readonly expect: readonly string[];
  readonly advice: readonly string[];
}

const FAKE: Circumstances = { fakeRunner: true };

/** With the deviation of the logarithm of a process's cost. */
function noisy(deviation: number, more: Record<string, string> = {}): Circumstances {
  const spreads = JSON.stringify({ 'double-ratchet': deviation });
  return { ...FAKE, env: { FAKE_SPREADS: spreads, FAKE_FRESH: '1', ...more } };
}

async function diagnose(
  args: readonly string[],
  circumstances: Circumstances,
): Promise<Diagnosis & { readonly status: number | null; readonly err: string }> {
  const { status, out, err } = await sealbench(['doctor', '--json', ...args], circumstances);
  return { ...(JSON.parse(out) as Diagnosis), status, err };
}

test('processes that never differ leave the declared floor only', async () => {
  const { same, expect, err } = await diagnose(['--pairs', '8'], FAKE);
  assert.equal(same!.pairs.length, 8);
  assert.deepEqual([same!.ratio, same!.floor], [1, 0]);
  for (const { difference } of same!.smallest) assert.ok(Math.abs(difference - 0.01) < 1e-12);
  assert.match(expect[0]!, /^Differences below 1 % cannot be shown with --budget standard/);
  assert.match(err, /in 8 pairs of processes\n/);
  assert.match(err, /^8\/16 doctor\/double-ratchet\S+ repeat 8\/16 .* ETA /m);
});

test('processes that differ give a floor, and a smallest difference that falls with the pairs', async () => {
  const { same, expect, advice, verdict } = await diagnose(['--pairs', '20'], noisy(0.05));
  const { floor, low, high, ratio, smallest, pairs } = same!;
  assert.ok(low < ratio && ratio < high);
  assert.ok(floor > 0.02 && floor < 0.15, `floor ${floor}`);
  assert.equal(floor, Math.max(high, 1 / low) - 1);
  const differences = smallest.map(({ difference }) => difference);
  assert.deepEqual(
    smallest.map((one) => one.pairs),
    [10, 20, 40],
  );
  assert.ok(differences[0]! > differences[1]! && differences[1]! > differences[2]!);
  assert.ok(differences[2]! > floor);
  assert.notEqual(verdict, 'quiet');
  assert.match(expect.join('\n'), /more than twice the 1 % below which no difference counts/);
  assert.match(advice.join('\n'), /half the width takes four times as many/);
  // Each block of two pairs has either side first once.
  const order = pairs.map(({ first }) => first);
  for (let pair = 0; pair < order.length; pair += 2) {
    assert.notEqual(order[pair], order[pair + 1]);
  }
});

test('a machine on which the same differs widely is too noisy: status 4', async () => {
  const { status, verdict, expect } = await diagnose(['--pairs', '10'], noisy(0.5));
  assert.equal(status, 4);
  assert.equal(verdict, 'too noisy');
  assert.match(expect.join('\n'), /Do not publish from here/);
});

test('--quick compares nothing, and says what the readings say', async () => {
  const { same, cores, noise, advice } = await diagnose(['--quick'], FAKE);
  assert.equal(same, undefined);
  assert.ok(cores >= 1 && noise.kernelNs > 0 && noise.kernelSpread >= 1);
  assert.match(advice.at(-1)!, /--threads up to|With one core/);
});

test('the readings are printed as a table, the comparison as another', async () => {
  const { out } = await sealbench(['doctor', '--pairs', '6'], noisy(0.02));
  for (const reading of [/^CPU quota /m, /^turbo /m, /^SMT /m, /^CPU clock +steps of /m]) {
    assert.match(out, reading);
  }
  assert.match(out, /^A \/ A +[\d.]+ \[[\d.]+, [\d.]+\] over 6 pairs$/m);
  assert.match(out, /^smallest difference, 10 pairs +[\d.]+ %$/m);
  assert.match(out, /^This machine is (?:quiet|noisy|too noisy)\.$/m);
  assert.match(out, /^What to change$/m);
});

test('a comparison that cannot be made is an error, and one that is interrupted is left out', async () => {
  const failing = { ...FAKE, env: { FAKE_STATUSES: '{"double-ratchet": "error"}' } };
  const failed = await sealbench(['doctor', '--pairs', '6'], failing);
  assert.equal(failed.status, 3);
  assert.match(failed.err, /doctor: the cell that it measures failed: made up to be error/);

  const interrupted = await sealbench(['doctor', '--pairs', '6', '--json'], {
    ...noisy(0.02, { FAKE_REPEAT_MS: '300' }),
    onNote: (err) => (/^1\/12 /m.test(err) ? 'SIGINT' : undefined),
  });
  assert.equal(interrupted.status, 130);
  assert.equal((JSON.parse(interrupted.out) as Diagnosis).same, undefined);
});

test('pairs that say nothing, and pairs that are not run, are refused', async () => {
  for (const args of [
    ['--pairs', '5'],
    ['--pairs', '8', '--quick'],
  ]) {
    const { status, err } = await sealbench(['doctor', ...args], FAKE);
    assert.equal(status, 2, err);
  }
});
