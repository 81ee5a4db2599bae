/** What a bank found, for people: one line per arm, and what the machine could show. */

import { formatNumber } from '../report/numbers.ts';
import type { Table } from '../report/table.ts';
import type { BankBlock } from '../runner/bank-arms.ts';
import { FIGURES } from '../runner/bank-figures.ts';
import type { BankManifest } from '../runner/bank-store.ts';
import type { Interval } from '../stats/interval.ts';
import { quantile, sortSamples } from '../stats/quantile.ts';
import { isMet, judgeBank, type ArmResult } from './bank-verdicts.ts';

export function tableOf(manifest: BankManifest, blocks: readonly BankBlock[]): Table {
  const { environment, blocksPerComparison, comparisons, floor, figure, arms } = manifest;
  const results = judgeBank(manifest, blocks, figure);
  const percent = formatNumber(floor * 100);
  return {
    title: `A bank of comparisons on ${environment.cpuModel}, ${environment.availableCores} cores, Node ${environment.node}`,
    columns: [
      'against',
      'comparisons',
      'called',
      'share of all, exact 95%',
      `beyond ${percent}% alone`,
      'half-width, median',
      'least',
      'largest',
      'expected',
      'verdict',
    ].map((title) => ({ title })),
    rows: results.map((result) => ({ cells: cellsOf(result, comparisons) })),
    notes: [
      `A comparison is ${blocksPerComparison} blocks of ${arms.length} fresh processes side by side on one core, that no ` +
        'other has; its 95 % interval is by Student on the mean of the logarithms of the ratios ' +
        `within blocks. Figure of a process: the ${figure} of CPU per message over its blocks.`,
      `Called: the whole interval lies beyond the floor, which is ${percent}%, declared before, ` +
        "or what A and A' show between them in the same blocks where that is more; for A' itself " +
        `it is ${percent}%, on either side. Each comparison is judged once: \`compare\` measures ` +
        'the accused again, which leaves fewer false alarms and catches less.',
      ...results.flatMap((result) => plantedNotes(manifest, result)),
      ...results.filter(({ planted }) => planted === 0).flatMap((copy) => showable(copy, floor)),
      ...otherFigures(manifest, blocks),
      ...results.filter(({ planted }) => planted === 0).flatMap(alarms),
    ],
  };
}

function cellsOf(result: ArmResult, planned: number): (string | undefined)[] {
  const { arm, comparisons, called, calledShare, expected, planted } = result;
  if (calledShare === undefined) return [arm, `0 of ${planned}`];
  const widths = halfWidths(result);
  const met = isMet(result, planned);
  return [
    arm,
    `${comparisons.length} of ${planned}`,
    String(called),
    `${formatNumber(calledShare.low * 100, 1)} to ${formatNumber(calledShare.high * 100, 1)}%`,
    String(result.calledByDeclaredFloor),
    ...[0.5, 0, 1].map((p) => percentText(quantile(widths, p))),
    planted === 0 ? `at most ${expected.max}` : `at least ${expected.min}`,
    met === undefined ? 'incomplete' : met ? 'met' : 'missed',
  ];
}

function halfWidths({ comparisons }: ArmResult): ReturnType<typeof sortSamples> {
  return sortSamples(comparisons.map(({ interval: { low, high } }) => Math.log(high / low) / 2));
}

/** What a planted slowdown was meant to be, and what it was. */
function plantedNotes({ calibration }: BankManifest, result: ArmResult): string[] {
  const { planted, arm, measured } = result;
  if (measured === undefined) return [];
  const found = `over all blocks it was ${percentText(measured.share)}, ${rangeText(measured.interval)}`;
  if (planted === 0) return [`${arm}: ${found}.`];
  const { added, low, high, extraCalls, blocks } = calibration;
  const meant = { low: (planted * low) / added, high: (planted * high) / added };
  return [
    `${arm}: planted as ${percentText(planted)}, ${rangeText(meant)} by ${blocks} pairs of ` +
      `processes with ${extraCalls} extra calls of the AEAD for each; ${found}.`,
  ];
}

/** The floor of the machine is the outer end of an A/A interval. */
function showable(copy: ArmResult, floor: number): string[] {
  if (copy.comparisons.length === 0) return [];
  const ends = sortSamples(
    copy.comparisons.map(({ interval: { low, high } }) =>
      Math.max(Math.abs(Math.log(low)), Math.abs(Math.log(high))),
    ),
  );
  const middle = quantile(ends, 0.5);
  const shown = Math.max(floor, middle) + quantile(halfWidths(copy), 0.5);
  return [
    `${copy.arm}: the outer end of an interval, the floor of this machine, is ` +
      `${percentText(middle)} in the median, at most ${percentText(quantile(ends, 1))}. The ` +
      `smallest difference that as many blocks could show here is about ${percentText(shown)}.`,
  ];
}

/** What the choice of the figure does, for information. */
function otherFigures(manifest: BankManifest, blocks: readonly BankBlock[]): string[] {
  const texts = FIGURES.filter((name) => name !== manifest.figure).flatMap((name) => {
    const results = judgeBank(manifest, blocks, name);
    const copy = results.find(({ planted }) => planted === 0);
    if (copy === undefined || copy.comparisons.length === 0) return [];
    const half = percentText(quantile(halfWidths(copy), 0.5));
    const called = results.map((result) => `${result.called} of ${result.arm}`).join(', ');
    return [`by the ${name} over blocks ${half}, with ${called} called`];
  });
  return texts.length === 0 ? [] : [`For information: half-widths would be ${texts.join('; ')}.`];
}

function alarms({ arm, comparisons }: ArmResult): string[] {
  return comparisons.flatMap(({ verdict, interval: { low, high } }, index) => {
    if (verdict !== 'regressed' && verdict !== 'improved') return [];
    const ends = `[${low.toFixed(4)}, ${high.toFixed(4)}]`;
    return [`${arm}, comparison ${index + 1}: ${verdict}, ${ends}.`];
  });
}

function rangeText({ low, high }: Interval): string {
  return `${percentText(low)} to ${percentText(high)}`;
}

function percentText(share: number): string {
  return `${formatNumber(share * 100, 2)}%`;
}
