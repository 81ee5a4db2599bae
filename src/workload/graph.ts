/**
 * A social graph: which two users each session joins.
 *
 * The configuration model with a repair: M. Molloy, B. Reed, A critical point for random graphs with a
 * given degree sequence (1995); loops and pairs that come twice are taken apart by switching ends with
 * another pair, which keeps all degrees.
 *
 * @module
 */

import { SeededRandom } from '../core/random.ts';
import type { Graph } from './workload.ts';

const STREAM = 0x6772_6170;
/** Switches that are tried for one pair, before it gets two ends of its own. */
const SWITCHES_MAX = 200;

/** So many users at least that a simple graph of the sessions exists, half full at most. */
export function usersOfGraph(sessions: number, usersPerSession: number): number {
  const fewest = Math.ceil((1 + Math.sqrt(1 + 16 * sessions)) / 2);
  return Math.max(fewest, Math.round(sessions * usersPerSession));
}

/**
 * No session joins a user with itself, and no two sessions join the same users.
 *
 * @param users As `usersOfGraph` gives it.
 * @param first Number of the first session: shards have graphs of their own.
 * @returns Two users per session.
 */
export function drawMembers(
  graph: Graph,
  seed: number,
  first: number,
  sessions: number,
  users: number,
): Uint32Array {
  const random = new SeededRandom(seed, first, STREAM);
  const members = random.shuffle(drawEnds(graph, sessions, users, random));
  const pairs = new PairSet(sessions, users);
  const bad: number[] = [];
  for (let session = 0; session < sessions; session++) {
    if (!pairs.add(members[session * 2]!, members[session * 2 + 1]!)) bad.push(session);
  }
  const isBad = new Set(bad);
  for (const session of bad) {
    isBad.delete(session);
    repair(members, session, isBad, pairs, users, random);
  }
  return members;
}

/** As many ends of sessions for each user as it has sessions, in the order of the users. */
function drawEnds(
  graph: Graph,
  sessions: number,
  users: number,
  random: SeededRandom,
): Uint32Array {
  const wanted = sessions * 2;
  // Above it a graph drawn so cannot be simple: M. Boguna, R. Pastor-Satorras, A. Vespignani, Cut-offs
  // and finite size effects in scale-free networks (2004).
  const largest = Math.min(users - 1, Math.ceil(Math.sqrt(wanted)));
  const steps = cumulative(graph, largest);
  const degrees = new Uint32Array(users);
  let sum = 0;
  for (let user = 0; user < users; user++) {
    degrees[user] = drawDegree(steps, random);
    sum += degrees[user]!;
  }
  // A draw hardly ever has the sum that is asked for: ends are added or taken away in proportion to
  // the degrees, which keeps their shape.
  const owners = endsOf(degrees, sum);
  while (sum !== wanted) {
    const user = owners[random.below(owners.length)]!;
    if (sum < wanted && degrees[user]! < largest) {
      degrees[user]! += 1;
      sum += 1;
    } else if (sum > wanted && degrees[user]! > 1) {
      degrees[user]! -= 1;
      sum -= 1;
    } else if (users > wanted || largest * users <= wanted) {
      // Of a few sessions: the distribution has no graph, as each user has one session at least.
      const any = random.below(users);
      degrees[any]! += sum < wanted ? 1 : degrees[any]! > 0 ? -1 : 0;
      sum = degrees.reduce((before, degree) => before + degree, 0);
    }
  }
  return endsOf(degrees, wanted);
}

function endsOf(degrees: Uint32Array, sum: number): Uint32Array {
  const ends = new Uint32Array(sum);
  let at = 0;
  for (let user = 0; user < degrees.length; user++) {
    ends.fill(user, at, at + degrees[user]!);
    at += degrees[user]!;
  }
  return ends;
}

/** By degree less 1: the probability of it or a smaller one. */
function cumulative({ exponent, cutoff }: Graph, largest: number): Float64Array {
  const steps = new Float64Array(largest);
  let sum = 0;
  for (let k = 1; k <= largest; k++) {
    sum += k ** -exponent * Math.exp(-k / cutoff);
    steps[k - 1] = sum;
  }
  return steps.map((step) => step / sum);
}

function drawDegree(steps: Float64Array, random: SeededRandom): number {
  const uniform = random.fraction();
  let low = 0;
  let high = steps.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (steps[middle]! > uniform) high = middle;
    else low = middle + 1;
  }
  return low + 1;
}

/** Gives the session, whose pair is not in `pairs`, one that is allowed. */
function repair(
  members: Uint32Array,
  session: number,
  isBad: ReadonlySet<number>,
  pairs: PairSet,
  users: number,
  random: SeededRandom,
): void {
  const sessions = members.length / 2;
  const a = members[session * 2]!;
  const b = members[session * 2 + 1]!;
  for (let tries = 0; tries < SWITCHES_MAX; tries++) {
    const other = random.below(sessions);
    if (other === session || isBad.has(other)) continue;
    const c = members[other * 2]!;
    const d = members[other * 2 + 1]!;
    if (!pairs.allows(a, d) || !pairs.allows(c, b) || isSamePair(a, d, c, b)) continue;
    pairs.remove(c, d);
    pairs.add(a, d);
    pairs.add(c, b);
    members.set([a, d], session * 2);
    members.set([c, b], other * 2);
    return;
  }
  for (;;) {
    const pair = [random.below(users), random.below(users)] as const;
    if (!pairs.add(...pair)) continue;
    members.set(pair, session * 2);
    return;
  }
}

function isSamePair(a: number, b: number, c: number, d: number): boolean {
  return (a === c && b === d) || (a === d && b === c);
}

/** Unordered pairs of different users: open addressing, 8 bytes per slot and twice the slots. */
class PairSet {
  readonly #slots: Float64Array;
  readonly #mask: number;
  readonly #users: number;

  constructor(pairs: number, users: number) {
    const slots = 2 ** Math.ceil(Math.log2(pairs * 2 + 2));
    this.#slots = new Float64Array(slots);
    this.#mask = slots - 1;
    this.#users = users;
  }

  allows(a: number, b: number): boolean {
    return a !== b && this.#slots[this.#find(this.#key(a, b))] === 0;
  }

  /** @returns Whether it was allowed. */
  add(a: number, b: number): boolean {
    if (a === b) return false;
    const key = this.#key(a, b);
    const slot = this.#find(key);
    if (this.#slots[slot] === key) return false;
    this.#slots[slot] = key;
    return true;
  }

  /** Of one that was added. */
  remove(a: number, b: number): void {
    let hole = this.#find(this.#key(a, b));
    // Moves up what a gap would hide: D. E. Knuth, TAOCP volume 3, algorithm 6.4R.
    for (let at = hole; ;) {
      at = (at + 1) & this.#mask;
      const key = this.#slots[at]!;
      if (key === 0) break;
      const home = this.#home(key);
      if (((at - home) & this.#mask) < ((at - hole) & this.#mask)) continue;
      this.#slots[hole] = key;
      hole = at;
    }
    this.#slots[hole] = 0;
  }

  /** Above 0, and below 2^53 for every number of users that has one of 32 bits. */
  #key(a: number, b: number): number {
    return Math.min(a, b) * this.#users + Math.max(a, b);
  }

  #home(key: number): number {
    let hash = Math.imul(key | 0, 0x9e37_79b1) ^ Math.imul((key / 0x1_0000_0000) | 0, 0x85eb_ca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2_ae35);
    return (hash ^ (hash >>> 13)) & this.#mask;
  }

  #find(key: number): number {
    let slot = this.#home(key);
    while (this.#slots[slot] !== 0 && this.#slots[slot] !== key) slot = (slot + 1) & this.#mask;
    return slot;
  }
}
