/**
 * A barrier in shared memory: no worker's clock runs before every worker is warm.
 *
 * It may be met any number of times. Waiting workers sleep and burn no CPU that the others need.
 *
 * @module
 */

const ARRIVED = 0;
/** Counts the meetings; those who wait sleep on it. */
const MEETING = 1;
const ABANDONED = 2;
const WORDS = 3;

/** Thrown to the workers that a failed one would have kept waiting; not itself the cause. */
export class BarrierAbandoned extends Error {
  constructor() {
    super('another worker of this repeat failed before all were ready');
    this.name = 'BarrierAbandoned';
  }
}

/** Zeros in shared memory, to be passed to every party. */
export function createBarrier(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT));
}

/**
 * Blocks this thread until `parties` threads are here.
 *
 * @throws BarrierAbandoned when a party failed, before or meanwhile.
 */
export function meetAll(shared: Int32Array, parties: number): void {
  // Read before arriving: afterwards the last party may already have opened the next meeting.
  const meeting = Atomics.load(shared, MEETING);
  if (Atomics.load(shared, ABANDONED) !== 0) throw new BarrierAbandoned();
  if (Atomics.add(shared, ARRIVED, 1) + 1 === parties) {
    Atomics.store(shared, ARRIVED, 0);
    Atomics.add(shared, MEETING, 1);
    Atomics.notify(shared, MEETING);
  } else {
    while (Atomics.load(shared, MEETING) === meeting) Atomics.wait(shared, MEETING, meeting);
  }
  if (Atomics.load(shared, ABANDONED) !== 0) throw new BarrierAbandoned();
}

/** Releases everyone, now and later, when this party or one that died cannot come. */
export function abandon(shared: Int32Array): void {
  Atomics.store(shared, ABANDONED, 1);
  Atomics.add(shared, MEETING, 1);
  Atomics.notify(shared, MEETING);
}
