/**
 * The readings of blocks, in columns that do not grow with the run.
 *
 * A run of ten million messages has hundreds of thousands of rounds. A block is one round, up to
 * {@link BLOCKS_MAX} of them. Beyond, rounds are joined: two neighbouring blocks become one, later
 * four, and so on, and further rounds join the block before them up to the same number. What is
 * joined
 *
 * - is of one phase and one mode, and of one message index while that is below
 *   {@link EXACT_INDICES}; later messages of a session are told apart no more;
 * - adds up: messages, calls, times, delays and ticks are sums, so that a mean over blocks is the
 *   same as without joining; only the kernel's CPU is the mean over the rounds;
 * - stays in the order of time, by the first round of each block.
 *
 * So a run that fits is kept round by round, and a longer one as if its batches were longer.
 *
 * @module
 */

import { StageColumns } from './stage-columns.ts';
import type { BlockFacts, StageFacts } from '../measure/facts.ts';
import { UNKNOWN } from '../measure/run-delay.ts';

/**
 * 50 B each, and 20 B for each stage that is read in it: 0.4 MB in memory and 0.5 MB as JSON, however
 * long the run, so that the shards of 128 threads still fit into one line of a result.
 */
export const BLOCKS_MAX = 4_096;

/** Messages of a session that are told apart by their index: some figures ask for one of them. */
export const EXACT_INDICES = 64;

const FIRST_ROOM = 128;
/** Joining ends when this share of the blocks is free. */
const FREE_SHARE = 0.25;
/** More rounds than a run has. */
const SPAN_MAX = 2 ** 30;

/** In the order of their codes. */
const PHASES = ['open', 'traffic'] as const;
const MODES = ['cpu', 'latency'] as const;

/** What a round took. */
export interface RoundReadings {
  readonly wallNs: number;
  readonly cpuNs: number;
  /** UNKNOWN where it cannot be read, as ticks. */
  readonly runDelayNs: number;
  readonly stealTicks: number;
  readonly kernelCpuNs: number;
}

type Columns = ReturnType<typeof columnsOf>;

export class BlockColumns {
  readonly #blocksMax: number;
  readonly #stages: StageColumns[] = [];
  #columns: Columns;
  #count = 0;
  /** Rounds that a block may hold. */
  #span = 1;
  /** The block of the present round. */
  #current = -1;
  /** By mode: the last block, or -1. */
  readonly #last = new Int32Array(MODES.length).fill(-1);

  /** @param blocksMax How many are kept; tests give fewer. */
  constructor(blocksMax: number = BLOCKS_MAX) {
    this.#blocksMax = blocksMax;
    this.#columns = columnsOf(Math.min(FIRST_ROOM, blocksMax));
  }

  /** Columns of a stage, to be given to {@link addCpu}. */
  addStage(): StageColumns {
    const stage = new StageColumns();
    this.#stages.push(stage);
    return stage;
  }

  /**
   * Begins a round.
   *
   * @throws RangeError when the rounds of a phase or a message index are not in a row, so that they
   *   could not be joined.
   */
  begin(
    phase: (typeof PHASES)[number],
    mode: (typeof MODES)[number],
    messageIndex: number,
    messages: number,
  ): void {
    const phaseCode = PHASES.indexOf(phase);
    const modeCode = MODES.indexOf(mode);
    if (this.#count === this.#blocksMax) this.#join();
    const last = this.#last[modeCode]!;
    if (
      last >= 0 &&
      this.#columns.rounds[last]! < this.#span &&
      this.#isOf(last, phaseCode, messageIndex)
    ) {
      this.#columns.rounds[last]! += 1;
      this.#columns.messages[last]! += messages;
      this.#current = last;
      return;
    }
    const at = this.#count;
    if (at === this.#columns.phase.length) this.#grow();
    this.#columns.phase[at] = phaseCode;
    this.#columns.mode[at] = modeCode;
    this.#columns.messageIndex[at] = messageIndex;
    this.#columns.messages[at] = messages;
    this.#columns.rounds[at] = 1;
    this.#last[modeCode] = at;
    this.#current = at;
    this.#count = at + 1;
  }

  /** CPU of a batch of a stage in the present round. */
  addCpu(stage: StageColumns, calls: number, cpuNs: number): void {
    const block = this.#current;
    stage.add(block, this.#columns.mode[block]!, calls, cpuNs, this.#span > 1);
  }

  /** Ends the present round. */
  end({ wallNs, cpuNs, runDelayNs, stealTicks, kernelCpuNs }: RoundReadings): void {
    const columns = this.#columns;
    const at = this.#current;
    columns.wallNs[at]! += wallNs;
    columns.cpuNs[at]! += cpuNs;
    columns.runDelayNs[at] = sumOfKnown(columns.runDelayNs[at]!, runDelayNs);
    columns.stealTicks[at] = sumOfKnown(columns.stealTicks[at]!, stealTicks);
    columns.kernelCpuNs[at]! += kernelCpuNs;
  }

  facts(): BlockFacts {
    const columns = this.#columns;
    const count = this.#count;
    const listed = (column: Uint32Array | Int32Array | Float64Array): number[] =>
      Array.from(column.subarray(0, count));
    const rounds = listed(columns.rounds);
    return {
      phase: Array.from(columns.phase.subarray(0, count), (code) => PHASES[code]!),
      mode: Array.from(columns.mode.subarray(0, count), (code) => MODES[code]!),
      messageIndex: listed(columns.messageIndex),
      messages: listed(columns.messages),
      wallNs: listed(columns.wallNs),
      cpuNs: listed(columns.cpuNs),
      runDelayNs: listed(columns.runDelayNs),
      stealTicks: listed(columns.stealTicks),
      kernelCpuNs: rounds.map((joined, at) => columns.kernelCpuNs[at]! / joined),
      ...(this.#span === 1 ? {} : { rounds }),
    };
  }

  stageFacts(stage: StageColumns): StageFacts['cpu'] {
    return stage.facts(this.#span > 1);
  }

  #isOf(block: number, phaseCode: number, messageIndex: number): boolean {
    const { phase, messageIndex: indices } = this.#columns;
    const told = Math.min(indices[block]!, EXACT_INDICES);
    return phase[block] === phaseCode && told === Math.min(messageIndex, EXACT_INDICES);
  }

  #join(): void {
    do {
      if (this.#span >= SPAN_MAX) {
        throw new RangeError(
          `"messageIndex" expected the rounds of a phase and a message in a row, got ` +
            `${this.#count} changes between them`,
        );
      }
      this.#span *= 2;
      this.#joinNeighbours();
    } while (this.#count > this.#blocksMax * (1 - FREE_SHARE));
  }

  /** Joins each block to the one before it of its mode, if both together do not pass the span. */
  #joinNeighbours(): void {
    const columns = this.#columns;
    const movedTo = new Uint32Array(this.#count);
    const last = this.#last.fill(-1);
    let kept = 0;
    for (let from = 0; from < this.#count; from++) {
      const mode = columns.mode[from]!;
      const before = last[mode]!;
      if (
        before >= 0 &&
        columns.rounds[before]! + columns.rounds[from]! <= this.#span &&
        this.#isOf(before, columns.phase[from]!, columns.messageIndex[from]!)
      ) {
        this.#addTo(before, from);
        movedTo[from] = before;
      } else {
        for (const name of COLUMN_NAMES) columns[name][kept] = columns[name][from]!;
        last[mode] = kept;
        movedTo[from] = kept;
        kept += 1;
      }
    }
    // A new block is summed up from nothing.
    for (const name of COLUMN_NAMES) columns[name].fill(0, kept);
    this.#count = kept;
    for (const stage of this.#stages) stage.move(movedTo, columns.mode);
  }

  #addTo(at: number, from: number): void {
    const columns = this.#columns;
    for (const name of ['messages', 'rounds', 'wallNs', 'cpuNs', 'kernelCpuNs'] as const) {
      columns[name][at]! += columns[name][from]!;
    }
    for (const name of ['runDelayNs', 'stealTicks'] as const) {
      columns[name][at] = sumOfKnown(columns[name][at]!, columns[name][from]!);
    }
  }

  #grow(): void {
    const longer = columnsOf(Math.min(this.#count * 2, this.#blocksMax));
    for (const name of COLUMN_NAMES) longer[name].set(this.#columns[name]);
    this.#columns = longer;
  }
}

const COLUMN_NAMES = [
  'phase',
  'mode',
  'messageIndex',
  'messages',
  'rounds',
  'wallNs',
  'cpuNs',
  'runDelayNs',
  'stealTicks',
  'kernelCpuNs',
] as const;

function columnsOf(room: number): {
  readonly phase: Uint8Array;
  readonly mode: Uint8Array;
  /** Of the block's first round. */
  readonly messageIndex: Uint32Array;
  readonly messages: Uint32Array;
  readonly rounds: Uint32Array;
  readonly wallNs: Float64Array;
  readonly cpuNs: Float64Array;
  readonly runDelayNs: Float64Array;
  readonly stealTicks: Int32Array;
  /** Of all rounds together. */
  readonly kernelCpuNs: Float64Array;
} {
  return {
    phase: new Uint8Array(room),
    mode: new Uint8Array(room),
    messageIndex: new Uint32Array(room),
    messages: new Uint32Array(room),
    rounds: new Uint32Array(room),
    wallNs: new Float64Array(room),
    cpuNs: new Float64Array(room),
    runDelayNs: new Float64Array(room),
    stealTicks: new Int32Array(room),
    kernelCpuNs: new Float64Array(room),
  };
}

/** What is unknown of a part is unknown of the sum. */
function sumOfKnown(sum: number, part: number): number {
  return sum === UNKNOWN || part === UNKNOWN ? UNKNOWN : sum + part;
}
