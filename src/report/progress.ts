/**
 * How far a run is and when it will end.
 *
 * On a terminal one line is redrawn; otherwise every finished repeat is a line, so that a log shows
 * what happened. Reads no clock and writes to no stream of its own: both are given.
 *
 * @module
 */

import type { Status } from '../results/record.ts';
import { displayWidth, forTerminal } from './text.ts';

export interface ProgressOptions {
  /** Cells in any order, each with the repeats still to be done and those done `before`, if any. */
  readonly plan: readonly {
    readonly cell: string;
    readonly repeats: number;
    readonly before?: number;
  }[];
  /** Takes text as it is, with line ends and, on a terminal, control sequences. */
  readonly write: (text: string) => void;
  /** Milliseconds that only grow. */
  readonly now: () => number;
  /** Whether a line can be redrawn. */
  readonly interactive: boolean;
  /** Columns of the terminal. */
  readonly width?: number | undefined;
  /** Whether cells may need fewer repeats than planned; see `settled`. */
  readonly atMost?: boolean;
}

interface CellProgress {
  repeats: number;
  readonly before: number;
  done: number;
  spentMs: number;
}

const BAR_WIDTH = 20;
const DEFAULT_WIDTH = 80;
/** Between two lines about a repeat that is under way, where no line can be redrawn. */
const LIVE_LINE_MS = 30_000;
/** Back to the first column, and erase to the end of the line (ECMA-48: CR, EL). */
const ERASE_LINE = '\r\u001B[K';

export class Progress {
  readonly #cells = new Map<string, CellProgress>();
  readonly #options: ProgressOptions;
  readonly #startedMs: number;
  #total: number;
  #done = 0;
  #running: { readonly cell: string; readonly sinceMs: number; live: string } | undefined;
  #liveLineMs: number;
  #lineDrawn = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#startedMs = options.now();
    this.#liveLineMs = this.#startedMs;
    let total = 0;
    for (const { cell, repeats, before = 0 } of options.plan) {
      this.#cells.set(cell, { repeats, before, done: 0, spentMs: 0 });
      total += repeats;
    }
    this.#total = total;
  }

  /** @throws RangeError for a cell that is not in the plan. */
  started(cell: string): void {
    this.#progressOf(cell);
    this.#running = { cell, sinceMs: this.#options.now(), live: '' };
    this.#liveLineMs = this.#running.sinceMs;
    this.redraw();
  }

  /**
   * How far the repeat is that was started last: drawn anew on a terminal; elsewhere a line now and
   * then, so that a log of hours has some hundred of them.
   */
  live(text: string): void {
    const running = this.#running;
    if (running === undefined) return;
    running.live = text;
    this.redraw();
    const nowMs = this.#options.now();
    if (this.#options.interactive || nowMs - this.#liveLineMs < LIVE_LINE_MS) return;
    this.#liveLineMs = nowMs;
    this.#options.write(`${forTerminal(`${running.cell}: ${text}`)}\n`);
  }

  /**
   * Ends the repeat that was started last.
   *
   * @param reason Why it is not `ok`: printed on a line of its own.
   */
  finished(status: Status, reason?: string): void {
    const running = this.#running;
    if (running === undefined) throw new RangeError('"finished" expected a started repeat');
    const tookMs = this.#options.now() - running.sinceMs;
    const cell = this.#progressOf(running.cell);
    cell.done += 1;
    cell.spentMs += tookMs;
    this.#done += 1;
    this.#running = undefined;

    const failed = status === 'ok' ? '' : ` ${status}${reason === undefined ? '' : `: ${reason}`}`;
    if (!this.#options.interactive) {
      const line =
        `${this.#done}/${this.#total} ${running.cell} repeat ${placeOf(cell, cell.done)} ` +
        `${formatDuration(tookMs)}${failed}${this.#etaText()}`;
      this.#options.write(`${forTerminal(line)}\n`);
      return;
    }
    if (failed !== '') this.note(`${running.cell} repeat ${placeOf(cell, cell.done)}${failed}`);
    this.redraw();
  }

  /** A cell that needs no more repeats. @throws RangeError for a cell that is not in the plan. */
  settled(cell: string): void {
    const progress = this.#progressOf(cell);
    this.#total -= progress.repeats - progress.done;
    progress.repeats = progress.done;
  }

  /** A line that stays, above the bar. */
  note(text: string): void {
    this.#erase();
    this.#options.write(`${forTerminal(text)}\n`);
  }

  /** Draws the line anew; may be called by a timer between repeats. Nothing off a terminal. */
  redraw(): void {
    const { interactive, width = DEFAULT_WIDTH, write, now } = this.#options;
    if (!interactive || this.#total === 0) return;
    const filled = Math.floor((BAR_WIDTH * this.#done) / this.#total);
    const bar = `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}]`;
    const elapsed = formatDuration(now() - this.#startedMs);
    const parts = [`${bar} ${this.#done}/${this.#total} ${elapsed}${this.#etaText()}`];
    if (this.#running !== undefined) {
      const cell = this.#progressOf(this.#running.cell);
      // What changes comes first: a narrow terminal cuts the end.
      if (this.#running.live !== '') parts.push(this.#running.live);
      parts.push(`${this.#running.cell} ${placeOf(cell, cell.done + 1)}`);
    }
    // One column stays free, since a full line wraps on some terminals.
    write(ERASE_LINE + cut(forTerminal(parts.join('  ')), width - 1));
    this.#lineDrawn = true;
  }

  /** Removes the bar; what was printed as lines stays. */
  end(): void {
    this.#erase();
  }

  /**
   * Milliseconds to the end: each cell's remaining repeats at its own mean, or at the mean of all
   * while it has none. undefined before the first repeat has finished.
   */
  remainingMs(): number | undefined {
    if (this.#done === 0) return undefined;
    let spentMs = 0;
    for (const cell of this.#cells.values()) spentMs += cell.spentMs;
    const meanMs = spentMs / this.#done;
    const meanOf = ({ done, spentMs: ownMs }: CellProgress): number =>
      done === 0 ? meanMs : ownMs / done;

    let remainingMs = 0;
    for (const cell of this.#cells.values()) {
      remainingMs += Math.max(0, cell.repeats - cell.done) * meanOf(cell);
    }
    if (this.#running !== undefined) {
      const expectedMs = meanOf(this.#progressOf(this.#running.cell));
      remainingMs -= Math.min(this.#options.now() - this.#running.sinceMs, expectedMs);
    }
    return remainingMs;
  }

  #etaText(): string {
    const remainingMs = this.remainingMs();
    if (remainingMs === undefined || this.#done === this.#total) return '';
    const atMost = this.#options.atMost === true ? 'at most ' : '';
    return ` ETA ${atMost}${formatDuration(remainingMs)}`;
  }

  #erase(): void {
    if (this.#lineDrawn) this.#options.write(ERASE_LINE);
    this.#lineDrawn = false;
  }

  #progressOf(cell: string): CellProgress {
    const progress = this.#cells.get(cell);
    if (progress === undefined) {
      throw new RangeError(`"cell" expected one of the plan, got ${forTerminal(cell)}`);
    }
    return progress;
  }
}

/** `2/3`, with what an interrupted run had finished before. */
function placeOf({ before, repeats }: CellProgress, at: number): string {
  return `${before + at}/${before + repeats}`;
}

/** `4.2 s`, `3:05 min`, `1:02:03 h`. */
export function formatDuration(ms: number): string {
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${twoDigits(seconds % 60)} min`;
  return `${Math.floor(minutes / 60)}:${twoDigits(minutes % 60)}:${twoDigits(seconds % 60)} h`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

function cut(text: string, width: number): string {
  let shown = '';
  let used = 0;
  for (const character of text) {
    used += displayWidth(character);
    if (used > width) break;
    shown += character;
  }
  return shown;
}
