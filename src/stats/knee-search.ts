/**
 * The search for the knee: the highest load at which a latency stays within its bound.
 *
 * A pure state machine: the observation of one window goes in, the load of the next window comes
 * out. It has no clock and no I/O, so whoever drives it decides what a load is (messages per second,
 * sessions at once) and how a window is measured, and tests drive it with simulated systems.
 *
 * It climbs geometrically until a load misses the bound, then bisects between the highest load that
 * met it and the lowest that missed it until the two are close. Both are then measured again before
 * the lower one is accepted, because a single window may be luck and the system may have changed. A
 * load that misses is measured twice before it counts; one that meets need not be, for nothing is
 * accepted that was not confirmed.
 *
 * Where the idea is from: the automatic rate of linera-protocol (pull request 6767), a state machine
 * that measures again before it accepts; guidellm (issue 552), which stops at 98 % of the target.
 *
 * @module
 */

export interface KneeOptions {
  /** The first load. */
  readonly start: number;
  /** No load below or above these is tried. */
  readonly min: number;
  readonly max: number;
  /** The latency that may not be exceeded, in the unit of the observations. */
  readonly bound: number;
  /** Factor from one load to the next while climbing, above 1. */
  readonly growth: number;
  /** How close, as a share, the load that meets and the one that misses must be at the end. */
  readonly resolution: number;
  /** Windows that are thrown away after each change of the load. */
  readonly warmups: number;
  /** Windows in which a load must meet the bound to be accepted, before it misses in as many. */
  readonly confirmations: number;
  /** The search ends after so many windows at the latest. */
  readonly windowsMax: number;
}

/** What one window at the asked load gave. */
export interface Observation {
  /** The latency that is bounded, usually the 99th percentile of the response time. */
  readonly latency: number;
  /** What was completed as a share of what was offered. */
  readonly completedShare: number;
  /**
   * False when the generator itself fell behind. That makes latencies longer, never shorter: a window
   * that met the bound all the same counts, and one that missed it teaches nothing about the system.
   */
  readonly isValid: boolean;
}

export type KneeEnd =
  /** `load` meets the bound, `above` misses it. */
  | { readonly kind: 'found'; readonly load: number; readonly above: number }
  /** The knee lies above the highest load that may be tried, or nothing can be said. */
  | { readonly kind: 'gave-up'; readonly reason: string; readonly met: number | undefined };

export interface KneeState {
  /** What the next window is to be measured at. */
  readonly load: number;
  /** Observed so far, with those that were thrown away. */
  readonly windows: number;
  /** Set when nothing more is to be measured. */
  readonly end: KneeEnd | undefined;
  readonly phase: 'climb' | 'bisect' | 'confirm-met' | 'confirm-missed';
  /** Windows still to be thrown away at this load. */
  readonly discard: number;
  /** Loads below `missed` that met the bound, ascending. */
  readonly met: readonly number[];
  readonly missed: number | undefined;
  /** Windows at this load that met the bound, and that missed it. */
  readonly hits: number;
  readonly misses: number;
  /** How often a load that had met the bound missed it when measured again, or the other way. */
  readonly revisions: number;
  /** Windows in a row that missed the bound while the generator fell behind. */
  readonly invalid: number;
}

/** Less than this of what was offered, and the window measured a backlog. */
const COMPLETED_SHARE_MIN = 0.98;
const MISSES_TO_BELIEVE = 2;
const REVISIONS_MAX = 4;
const INVALID_MAX = 8;

/** @throws RangeError for options that cannot be searched with. */
export function startKneeSearch(options: KneeOptions): KneeState {
  const { start, min, max, growth, resolution, confirmations } = options;
  if (!(min > 0 && min <= start && start <= max && Number.isFinite(max))) {
    throw new RangeError(`"start" expected 0 < min <= start <= max, got ${min}, ${start}, ${max}`);
  }
  if (!(growth > 1)) throw new RangeError(`"growth" expected more than 1, got ${growth}`);
  if (!(resolution > 0)) throw new RangeError(`"resolution" expected above 0, got ${resolution}`);
  if (!(confirmations >= 1)) {
    throw new RangeError(`"confirmations" expected at least 1, got ${confirmations}`);
  }
  return {
    load: start,
    windows: 0,
    end: undefined,
    phase: 'climb',
    discard: options.warmups,
    met: [],
    missed: undefined,
    hits: 0,
    misses: 0,
    revisions: 0,
    invalid: 0,
  };
}

/**
 * The state after a window at `before.load`.
 *
 * @throws RangeError when the search had ended.
 */
export function observeWindow(
  options: KneeOptions,
  before: KneeState,
  observation: Observation,
): KneeState {
  if (before.end !== undefined) throw new RangeError('"before" expected a search that goes on');
  const state = { ...before, windows: before.windows + 1 };
  const next = nextState(options, state, observation);
  if (next.end !== undefined || next.windows < options.windowsMax) return next;
  return gaveUp(next, `no load was settled on within ${options.windowsMax} windows`);
}

function nextState(options: KneeOptions, state: KneeState, observation: Observation): KneeState {
  const isMet =
    observation.latency <= options.bound && observation.completedShare >= COMPLETED_SHARE_MIN;
  if (!observation.isValid && !isMet) {
    const invalid = state.invalid + 1;
    return invalid < INVALID_MAX
      ? { ...state, invalid }
      : gaveUp(state, `the generator itself fell behind in ${invalid} windows in a row`);
  }
  if (state.discard > 0) return { ...state, invalid: 0, discard: state.discard - 1 };
  const counted = {
    ...state,
    invalid: 0,
    hits: state.hits + (isMet ? 1 : 0),
    misses: state.misses + (isMet ? 0 : 1),
  };
  if (state.phase === 'confirm-met') return confirmMet(options, counted);
  if (state.phase === 'confirm-missed') return confirmMissed(options, counted);
  if (isMet) return goOn(options, { ...counted, met: [...counted.met, counted.load] });
  return counted.misses < MISSES_TO_BELIEVE
    ? counted
    : goOn(options, { ...counted, missed: counted.load });
}

/** Chooses a load from what is known of those below and above. */
function goOn(options: KneeOptions, state: KneeState): KneeState {
  const { min, max, growth, resolution } = options;
  const { missed } = state;
  const low = state.met.at(-1);
  if (missed === undefined) {
    // Nothing missed yet, so at least one load met.
    if (low! >= max) return moveTo(options, state, 'confirm-met', max);
    return moveTo(options, state, 'climb', Math.min(max, low! * growth));
  }
  if (low === undefined) {
    if (missed <= min) {
      return gaveUp(state, `the bound was missed even at the lowest load, ${rounded(min)}`);
    }
    return moveTo(options, state, 'climb', Math.max(min, missed / growth));
  }
  if (missed <= low * (1 + resolution)) return moveTo(options, state, 'confirm-met', low);
  return moveTo(options, state, 'bisect', Math.sqrt(low * missed));
}

/** Measures the highest load that met again. */
function confirmMet(options: KneeOptions, state: KneeState): KneeState {
  const { load, missed } = state;
  if (state.hits >= options.confirmations) {
    if (missed === undefined) {
      return gaveUp(state, `the bound was met even at the highest load, ${rounded(load)}`);
    }
    return moveTo(options, state, 'confirm-missed', missed);
  }
  if (state.misses < options.confirmations) return state;
  return revise(options, { ...state, met: state.met.slice(0, -1), missed: load });
}

/** Measures the lowest load that missed again: the system may have become faster. */
function confirmMissed(options: KneeOptions, state: KneeState): KneeState {
  const { load } = state;
  if (state.misses >= MISSES_TO_BELIEVE) {
    return { ...state, end: { kind: 'found', load: state.met.at(-1)!, above: load } };
  }
  if (state.hits < MISSES_TO_BELIEVE) return state;
  return revise(options, { ...state, met: [...state.met, load], missed: undefined });
}

function revise(options: KneeOptions, state: KneeState): KneeState {
  const revisions = state.revisions + 1;
  if (revisions <= REVISIONS_MAX) return goOn(options, { ...state, revisions });
  return gaveUp(
    state,
    `${revisions} times a load gave another answer when it was measured again: the system changes, ` +
      'or it is too noisy for these windows',
  );
}

function moveTo(
  options: KneeOptions,
  state: KneeState,
  phase: KneeState['phase'],
  load: number,
): KneeState {
  const discard = load === state.load ? 0 : options.warmups;
  return { ...state, phase, load, discard, hits: 0, misses: 0 };
}

function gaveUp(state: KneeState, reason: string): KneeState {
  return { ...state, end: { kind: 'gave-up', reason, met: state.met.at(-1) } };
}

function rounded(load: number): number {
  return Number(load.toPrecision(3));
}
