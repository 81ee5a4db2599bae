/**
 * What it costs to guess the bits that a partial escrow withholds: one guess as it was measured, and
 * from it the price of a message with more bits and on other hardware.
 *
 * @module
 */

import { seriesOf, type CellResult, type Series } from './cells.ts';
import {
  notBelowZero,
  relativeHalfWidth,
  summarise,
  weightedSum,
  type Estimate,
} from './estimates.ts';
import { HARDWARE, type Hardware } from './hardware.ts';
import { formatEstimate, formatNumber, scaleFor } from './numbers.ts';
import { optionOf, plainName, sectionsOf } from './pairing.ts';
import type { Table, TableRow } from './table.ts';

/** The pipeline whose authority guesses, and the bits where its cell does not say. */
const GUESSING = 'escrow-partial';
const BITS_DEFAULT = 8;

/** Bits withheld of which a price is printed. */
const PRICED_BITS = [24, 32, 40, 48, 56, 64] as const;

/** With fewer bits than these the opening of the field is more than 1 % of what guessing costs. */
const BITS_FOR_A_PRICE = 12;

/** Tries until the right one of 2^bits, which is as likely to be any of them. */
export function expectedGuesses(bits: number): number {
  return (2 ** bits + 1) / 2;
}

/** Nanoseconds of the authority's CPU per guess, per repeat; undefined where nothing was guessed. */
export function guessCost(cell: CellResult): Series | undefined {
  if (cell.status !== 'ok' || plainName(cell.pipeline) !== GUESSING) return undefined;
  const recovered = seriesOf(cell, {
    metric: 'cpu-per-message',
    role: 'authority',
    kind: 'per-recovered',
  });
  return weightedSum([[recovered, 1 / expectedGuesses(bitsOf(cell))]]);
}

/** No tables where nothing was guessed. */
export function guessPriceTables(cells: readonly CellResult[]): Table[] {
  const guessing = cells.filter((cell) => guessCost(cell) !== undefined);
  if (guessing.length === 0) return [];
  const tables = [measuredTable(guessing)];
  const best = bestKnown(guessing);
  if (best !== undefined) tables.push(priceTable(best));
  return tables;
}

function bitsOf({ pipeline }: CellResult): number {
  return Number(optionOf(pipeline, 'bits') ?? BITS_DEFAULT);
}

function measuredTable(cells: readonly CellResult[]): Table {
  const rows: TableRow[] = [];
  for (const { heading, cells: group, labels } of sectionsOf(cells)) {
    if (heading !== '') rows.push({ cells: [], heading });
    for (const [index, cell] of group.entries()) {
      rows.push({
        cells: [labels[index]!, withCommas(expectedGuesses(bitsOf(cell))), costOf(cell)],
      });
    }
  }
  return {
    title: 'A guess at withheld bits, as it was measured',
    columns: [
      { title: 'pipeline' },
      { title: 'guesses per message', unit: '' },
      { title: 'CPU of one', unit: 'ns' },
    ],
    rows,
    notes: [
      'CPU of one: what the authority spends per recovered message, divided by the guesses that it ' +
        'needs on average, (2^bits + 1) / 2. How many each message took is not recorded, so the ' +
        'interval holds the luck of the draw. The opening of the field is in it, and what the library ' +
        'spends on refusing: native refuses by an exception.',
    ],
  };
}

interface Priced {
  readonly cell: CellResult;
  readonly guess: Estimate;
}

function costOf(cell: CellResult): Estimate | undefined {
  return notBelowZero(summarise(guessCost(cell)));
}

/** The cell whose guess is known best: by its interval, and without intervals by its bits. */
function bestKnown(cells: readonly CellResult[]): Priced | undefined {
  const priced = cells.flatMap((cell): Priced[] => {
    const guess = costOf(cell);
    const isPriced = guess !== undefined && guess.value > 0 && bitsOf(cell) >= BITS_FOR_A_PRICE;
    return isPriced ? [{ cell, guess }] : [];
  });
  const width = ({ guess }: Priced): number => relativeHalfWidth(guess) ?? Infinity;
  const isBetter = (a: Priced, b: Priced): boolean =>
    width(a) < width(b) || (width(a) === width(b) && bitsOf(a.cell) > bitsOf(b.cell));
  return priced.reduce<Priced | undefined>(
    (best, one) => (best === undefined || isBetter(one, best) ? one : best),
    undefined,
  );
}

function priceTable({ cell, guess }: Priced): Table {
  const scale = scaleFor('ns', [guess.value]);
  const measured = `${formatEstimate(guess, scale)} ${scale.unit}`;
  return {
    title: 'What recovering one message would cost by guessing, on average',
    columns: [
      { title: 'bits withheld', unit: '' },
      ...HARDWARE.flatMap(({ name }) =>
        ['hours', 'joules', 'dollars'].map((title) => ({ title, unit: '', over: name })),
      ),
    ],
    rows: PRICED_BITS.map((bits) => ({
      cells: [
        String(bits),
        ...HARDWARE.flatMap((hardware) => {
          const { hours, joules, dollars } = priceOf(hardware, bits, guess.value);
          return [hours, joules, dollars].map(shortNumber);
        }),
      ],
    })),
    notes: [
      `Extrapolated: no more bits were guessed than the table above says. A guess is ${measured} on a ` +
        `core, as in ${cell.pipeline} of ${cell.implementation}; twice the guesses cost twice as much, and ` +
        'n devices take an n-th of the hours for the same joules and dollars. For a core, hours are ' +
        'core-hours.',
      ...HARDWARE.map(noteOf),
    ],
  };
}

/** @param guessNs Of a core. */
export function priceOf(
  { guessesPerSecond, watts, dollarsPerHour }: Hardware,
  bits: number,
  guessNs: number,
): { readonly hours: number; readonly joules: number; readonly dollars: number } {
  const perSecond = guessesPerSecond === 'measured' ? 1e9 / guessNs : guessesPerSecond;
  const seconds = expectedGuesses(bits) / perSecond;
  const hours = seconds / 3600;
  return { hours, joules: seconds * watts, dollars: hours * dollarsPerHour };
}

function noteOf({ name, guessesPerSecond, date, source, assumption }: Hardware): string {
  const rate =
    guessesPerSecond === 'measured' ? '' : `, ${shortNumber(guessesPerSecond)} guesses per second`;
  return `${name}${rate} (${date}): ${assumption}. Source: ${source}.`;
}

function withCommas(value: number): string {
  return value.toLocaleString('en');
}

/** Over many orders of magnitude: `0.0153`, `382`, `97,700`, `6.4e9`, `3.5e-8`. */
function shortNumber(value: number): string {
  if (value >= 1e6 || (value > 0 && value < 1e-3)) {
    return value.toExponential(1).replace('e+', 'e');
  }
  return value < 1_000 ? formatNumber(value) : withCommas(Number(value.toPrecision(3)));
}
