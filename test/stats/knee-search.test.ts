import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { SeededRandom } from '../../src/core/random.ts';
import {
  observeWindow,
  startKneeSearch,
  type KneeEnd,
  type KneeOptions,
  type KneeState,
  type Observation,
} from '../../src/stats/knee-search.ts';

const OPTIONS: KneeOptions = {
  start: 100,
  min: 1,
  max: 1e6,
  bound: 10,
  growth: 2,
  resolution: 0.05,
  warmups: 1,
  confirmations: 3,
  windowsMax: 200,
};

/** What a system answers to the window numbered so, at a load. */
type System = (load: number, window: number) => Observation;

interface Searched {
  readonly end: KneeEnd;
  readonly windows: number;
  readonly loads: readonly number[];
}

function search(system: System, options: KneeOptions = OPTIONS): Searched {
  let state: KneeState = startKneeSearch(options);
  const loads: number[] = [];
  while (state.end === undefined) {
    loads.push(state.load);
    state = observeWindow(options, state, system(state.load, state.windows));
  }
  return { end: state.end, windows: state.windows, loads };
}

const meets: Observation = { latency: 1, completedShare: 1, isValid: true };
const misses: Observation = { latency: 11, completedShare: 1, isValid: true };
const behind: Observation = { latency: 11, completedShare: 1, isValid: false };

/** Meets the bound up to its capacity. */
function upTo(capacity: number): System {
  return (load) => (load <= capacity ? meets : misses);
}

/** 99th percentile of the response times of `count` arrivals at one server; in service times. */
function singleServer(load: number, capacity: number, count: number, random: SeededRandom): number {
  const share = load / capacity;
  const responses = new Float64Array(count);
  let arrival = 0;
  let free = 0;
  for (let i = 0; i < count; i++) {
    arrival -= Math.log(1 - random.fraction()) / share;
    free = Math.max(free, arrival) + 1;
    responses[i] = free - arrival;
  }
  return responses.sort()[Math.floor(count * 0.99)]!;
}

test('the knee of a sharp system lies between what is found and what is above it', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1.5, max: 9e5, noNaN: true }),
      fc.double({ min: 1, max: 1e6, noNaN: true }),
      fc.double({ min: 1.1, max: 10, noNaN: true }),
      fc.double({ min: 0.01, max: 0.5, noNaN: true }),
      (capacity, start, growth, resolution) => {
        const { end, windows, loads } = search(upTo(capacity), {
          ...OPTIONS,
          start,
          growth,
          resolution,
          windowsMax: 1_000,
        });
        assert.equal(end.kind, 'found');
        assert.ok(end.kind === 'found' && end.load <= capacity && capacity < end.above);
        assert.ok(end.above <= end.load * (1 + resolution));
        assert.ok(loads.every((load) => load >= OPTIONS.min && load <= OPTIONS.max));
        assert.equal(windows, loads.length);
      },
    ),
  );
});

test('what is accepted was measured again, and so was the load above it', () => {
  const { end, loads } = search(upTo(777));
  assert.ok(end.kind === 'found');
  const last = loads.slice(-7);
  // One window of warm-up at each of the two, three that meet and two that miss.
  assert.deepEqual(last, [
    ...Array.from({ length: 4 }, () => end.load),
    ...Array.from({ length: 3 }, () => end.above),
  ]);
});

test('a window of warm-up at each load decides nothing', () => {
  let previous = 0;
  const coldAtFirst: System = (load, window) => {
    const isCold = load !== previous;
    previous = load;
    return isCold ? misses : upTo(5_000)(load, window);
  };
  const { end } = search(coldAtFirst);
  assert.ok(end.kind === 'found' && end.load <= 5_000 && end.above > 5_000);
  const without = search(coldAtFirst, { ...OPTIONS, warmups: 0 });
  assert.ok(without.end.kind === 'gave-up' || without.end.load <= 5_000);
});

test('it finds the knee of a queue of one server with Poisson arrivals', () => {
  // Where the 99th percentile of a long window is 10 service times.
  const random = new SeededRandom(99);
  let low = 0.3;
  let high = 0.99;
  for (let step = 0; step < 12; step++) {
    const middle = (low + high) / 2;
    if (singleServer(middle, 1, 400_000, random) <= 10) low = middle;
    else high = middle;
  }
  for (let seed = 0; seed < 40; seed++) {
    const noise = new SeededRandom(seed);
    const { end } = search((load) => ({
      latency: singleServer(load, 40_000, 4_000, noise),
      completedShare: 1,
      isValid: true,
    }));
    assert.equal(end.kind, 'found', end.kind === 'found' ? '' : end.reason);
    if (end.kind !== 'found') continue;
    // A window of 4,000 arrivals knows its percentile to some 10 %.
    assert.ok(Math.abs(end.load / 40_000 / low - 1) < 0.12, `${end.load / 40_000}, not ${low}`);
  }
});

test('it finds the knee though one window in ten lies', () => {
  let found = 0;
  let right = 0;
  for (let seed = 0; seed < 300; seed++) {
    const random = new SeededRandom(seed);
    const { end } = search((load) => (load <= 3_000 === random.fraction() >= 0.1 ? meets : misses));
    if (end.kind !== 'found') continue;
    found += 1;
    if (end.load <= 3_000 * 1.05 && end.load > 3_000 / 1.2) right += 1;
  }
  assert.ok(found >= 285, `${found} of 300 found`);
  assert.ok(right >= 0.93 * found, `${right} of ${found} right`);
});

test('a backlog misses the bound, whatever the latency of what was completed', () => {
  const { end } = search((load) => ({ ...meets, completedShare: Math.min(1, 5_000 / load) }));
  assert.ok(end.kind === 'found' && end.load <= 5_000 / 0.98 && end.above > 5_000 / 0.98);
});

test('it says that no load meets the bound, and that every load does', () => {
  const never = search(() => misses).end;
  assert.deepEqual(never, {
    kind: 'gave-up',
    reason: 'the bound was missed even at the lowest load, 1',
    met: undefined,
  });
  const always = search(() => meets).end;
  assert.deepEqual(always, {
    kind: 'gave-up',
    reason: 'the bound was met even at the highest load, 1000000',
    met: 1e6,
  });
});

test('a system that slows down is judged by what it has become', () => {
  for (let change = 1; change <= 24; change++) {
    const { end, windows } = search((load, window) =>
      upTo(window < change ? 9_000 : 3_000)(load, 0),
    );
    assert.ok(end.kind === 'found', 'slower');
    // What was confirmed before the change cannot be known to have changed.
    const { windows: before } = search(upTo(9_000));
    assert.ok(end.load <= 3_000 || windows === before, `change ${change}: ${end.load}`);
  }
});

test('a system that becomes faster is judged by what it has become', () => {
  const { windows: usual } = search(upTo(3_000));
  for (let change = 1; change < usual - 3; change++) {
    const { end } = search((load, window) => upTo(window < change ? 3_000 : 9_000)(load, 0));
    assert.ok(end.kind === 'found' && end.load <= 9_000 && end.load > 8_000, `change ${change}`);
  }
});

test('it gives up on a system that answers as it likes', () => {
  let gaveUp = 0;
  for (let seed = 0; seed < 100; seed++) {
    const random = new SeededRandom(seed);
    const phases = Array.from({ length: 400 }, () => random.fraction() < 0.5);
    const { end, windows } = search((_, window) => (phases[window >> 2]! ? meets : misses));
    assert.ok(windows <= OPTIONS.windowsMax);
    if (end.kind === 'gave-up') gaveUp += 1;
  }
  assert.ok(gaveUp > 0);
  const { end } = search((load) => (load > 1_000 ? misses : meets), { ...OPTIONS, windowsMax: 9 });
  assert.deepEqual(end, {
    kind: 'gave-up',
    reason: 'no load was settled on within 9 windows',
    met: 800,
  });
});

test('windows that missed while the generator fell behind teach nothing', () => {
  const usual = search(upTo(3_000));
  const { end, loads } = search((load, window) =>
    window % 3 === 1 ? behind : upTo(3_000)(load, 0),
  );
  assert.deepEqual(end, usual.end);
  assert.ok(loads.length > usual.loads.length);
  const hopeless = search((load) => (load > 2_000 ? behind : meets)).end;
  assert.deepEqual(hopeless, {
    kind: 'gave-up',
    reason: 'the generator itself fell behind in 8 windows in a row',
    met: 1_600,
  });
});

test('a window that met the bound counts, though the generator fell behind', () => {
  const late = search((load, window) => ({ ...upTo(3_000)(load, window), isValid: load > 3_000 }));
  assert.deepEqual(late, search(upTo(3_000)));
});

test('it refuses options that it cannot search with', () => {
  for (const wrong of [
    { start: 0.5 },
    { start: 2e6 },
    { min: 0 },
    { max: Infinity },
    { growth: 1 },
    { resolution: 0 },
    { confirmations: 0 },
    { start: Number.NaN },
  ]) {
    assert.throws(() => startKneeSearch({ ...OPTIONS, ...wrong }), RangeError);
  }
  const { end } = search(upTo(10));
  const ended = { ...startKneeSearch(OPTIONS), end };
  assert.throws(() => observeWindow(OPTIONS, ended, meets), RangeError);
});
