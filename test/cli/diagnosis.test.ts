import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  advise,
  expectations,
  isBlind,
  judge,
  summariseSame,
  type Readings,
  type SameAgainstSame,
} from '../../src/cli/diagnosis.ts';

const QUIET: Readings = {
  cpuModel: 'A processor',
  logicalCores: 2,
  cores: 2,
  memoryBytes: 2 ** 33,
  virtualised: 'no',
  load1: 0.1,
  clockStepNs: 40,
  clockReadNs: 40,
  cpuStepNs: 1_000,
  cpuReadNs: 1_000,
  noise: { wallNs: 3e9, runDelayShare: 0, stealShare: 0, kernelNs: 160_000, kernelSpread: 1.02 },
};

/** Pairs of which every other one differs by this much, either way in turn. */
function same(deviation: number, pairs = 20): SameAgainstSame {
  return summariseSame(
    'a cell',
    Array.from({ length: pairs }, (_, pair) => ({
      aNs: 1_000,
      bNs: 1_000 * Math.exp(pair % 2 === 0 ? deviation : -deviation),
      first: 'a',
    })),
  );
}

test('the verdict is the worst that a reading or the comparison says', () => {
  const noise = QUIET.noise;
  const cases: [Partial<Readings>, SameAgainstSame | undefined, string][] = [
    [{}, undefined, 'quiet'],
    [{}, same(0.005), 'quiet'],
    [{}, same(0.08), 'noisy'],
    [{}, same(0.4), 'too noisy'],
    [{ noise: { ...noise, kernelSpread: 1.3 } }, same(0.005), 'noisy'],
    [{ noise: { ...noise, kernelSpread: 2 } }, same(0.005), 'too noisy'],
    [{ noise: { ...noise, runDelayShare: 0.05 } }, undefined, 'noisy'],
    [{ noise: { ...noise, stealShare: 0.2 } }, undefined, 'too noisy'],
    [{ cpuStepNs: 4e6 }, undefined, 'too noisy'],
  ];
  for (const [changes, compared, verdict] of cases) {
    const readings = { ...QUIET, ...changes };
    assert.equal(judge(readings, compared), verdict, JSON.stringify(changes));
  }
  assert.ok(isBlind({ ...QUIET, cpuStepNs: 4e6 }) && !isBlind(QUIET));
});

test('what the system does not say is no reason for a worse verdict', () => {
  const { wallNs, kernelNs, kernelSpread } = QUIET.noise;
  const unknown = { ...QUIET, noise: { wallNs, kernelNs, kernelSpread } };
  assert.equal(judge(unknown, undefined), 'quiet');
  assert.equal(advise(unknown, undefined).length, 1);
});

test('what to expect names the smallest differences, and a floor that is too high', () => {
  const narrow = expectations(QUIET, 'quiet', same(0.005));
  assert.match(narrow[0]!, /^Differences below 1\.\d % cannot be shown with --budget standard/);
  assert.equal(narrow.at(-1), 'Absolute figures are usable.');
  const wide = expectations(QUIET, 'noisy', same(0.08));
  assert.match(wide[1]!, /^The same seems up to \d\.\d % apart .* more than twice the 1 % below/);
  assert.match(wide.at(-1)!, /^Compare only what ran within one run/);
  const spread = { ...QUIET, noise: { ...QUIET.noise, kernelSpread: 2 } };
  const worst = expectations(spread, 'too noisy', undefined);
  assert.match(worst[0]!, /^The same work takes up to 2 times as long/);
  assert.match(worst.at(-1)!, /Do not publish from here\.$/);
});

test('each advice follows from a reading', () => {
  const { noise } = QUIET;
  const cases: [Partial<Readings>, RegExp][] = [
    [{ load1: 1.5 }, /^Other programs of this machine compete for the cores: close them/],
    [{ cpuPressure: 0.5 }, /^Other programs/],
    [{ noise: { ...noise, runDelayShare: 0.05 } }, /^Other programs/],
    [{ noise: { ...noise, stealShare: 0.01 } }, /^The hypervisor gives time to other machines/],
    [{ cpuQuota: 1.5 }, /^The control group may use 1\.50 cores' time/],
    [{ governor: 'powersave' }, /governor powersave.*cpupower frequency-set -g performance/],
    [{ turbo: true }, /^Turbo is on/],
    [{ smt: true }, /^Two logical cores share a physical one/],
    [{ cpuStepNs: 4e6 }, /^The CPU clock moves in steps of 4 ms/],
    [{ noise: { ...noise, kernelSpread: 1.3 } }, /fix the clock rate and leave the machine alone/],
    [
      { virtualised: 'yes', noise: { ...noise, kernelSpread: 1.3 } },
      /A physical or dedicated machine is quieter/,
    ],
  ];
  for (const [changes, expected] of cases) {
    const [first, ...others] = advise({ ...QUIET, ...changes }, undefined);
    assert.match(first!, expected);
    assert.equal(others.length, 1, 'only that and how many threads to use');
  }
  for (const fine of [{ governor: 'performance' }, { turbo: false }, { smt: false }]) {
    assert.equal(advise({ ...QUIET, ...fine }, same(0.005)).length, 1);
  }
  assert.match(advise(QUIET, same(0.08))[0]!, /^More repeats narrow/);
  const many = { ...QUIET, logicalCores: 8, cores: 8, load1: 6 };
  assert.match(advise(many, undefined)[1]!, /"taskset -c 0".*"taskset -c 2-7"/);
  assert.match(advise({ ...QUIET, cores: 1 }, undefined).at(-1)!, /^With one core/);
});
