import { sumSessions } from './_bytes.ts';
import type { MemoryFacts } from '../measure/facts.ts';
import { figure, type Metric } from './_metric.ts';

/**
 * Memory that a live session keeps, by where it lies.
 *
 * Node's `external` includes array buffers; here it is without them. `heap-free` is what the heap
 * keeps of pages that hold nothing: some megabytes, more or less as the collector will, whatever the
 * sessions. `wasm` grows by pages of 64 KiB, or by larger steps where a library so chooses, and never
 * shrinks. `native` is what the resident set grew by beyond all the rest: a residual, which also
 * holds what the other counters miss or count twice, and which may be negative. In results without
 * `heap-free` it has that in it, too. The resident set belongs to the process, so with several
 * threads it is read from the earliest to the latest reading and not summed.
 */
const retainedBytes: Metric = {
  name: 'retained-bytes',
  unit: 'B',
  direction: 'lower',
  title: 'Memory retained per session',
  derive({ shards }) {
    const sessions = sumSessions(shards);
    // A search for saturation makes schedules meanwhile, as many as it needs.
    const isSearch = shards.some(({ saturation }) => saturation !== undefined);
    if (sessions === 0 || isSearch) return [];
    const grownBy = (bytes: keyof MemoryFacts): number =>
      shards.reduce(
        (sum, { memory: { before, after } }) =>
          sum + (after[bytes] ?? NaN) - (before[bytes] ?? NaN),
        0,
      );
    const resident =
      Math.max(...shards.map(({ memory }) => memory.after.rssBytes)) -
      Math.min(...shards.map(({ memory }) => memory.before.rssBytes));
    const heap = grownBy('heapUsedBytes');
    const external = grownBy('externalBytes');
    const arrayBuffers = grownBy('arrayBufferBytes');
    const wasm = grownBy('wasmBytes');
    const pages = grownBy('heapResidentBytes');
    const free = Number.isNaN(pages) ? undefined : pages - heap;
    return [
      figure(heap / sessions, { kind: 'heap' }),
      figure((external - arrayBuffers) / sessions, { kind: 'external' }),
      figure(arrayBuffers / sessions, { kind: 'arraybuffer' }),
      figure(wasm / sessions, { kind: 'wasm' }),
      ...(free === undefined ? [] : [figure(free / sessions, { kind: 'heap-free' })]),
      figure((resident - heap - (free ?? 0) - external - wasm) / sessions, { kind: 'native' }),
    ];
  },
};

export default retainedBytes;
