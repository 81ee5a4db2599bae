/**
 * A comparison as JUnit XML, which continuous integration shows as tests: one per cell.
 *
 * @module
 */

import {
  changedBeyond,
  finalCosts,
  isTooNoisy,
  saysNothing,
  type ComparedCell,
} from '../compare/gate.ts';
import type { ComparisonToShow } from './comparison.ts';

/** As the Jenkins and GitLab readers take it: failure for worse, error for failed, skipped for unknown. */
export function comparisonJunit({ base, head, cells }: ComparisonToShow): string {
  const cases = cells.map((cell) => ({ cell, ...resultOf(cell) }));
  const count = (kind: string): number => cases.filter((one) => one.kind === kind).length;
  const lines = cases.map(({ cell, kind, message }) => {
    const name = escaped(cell.cell);
    const open = `    <testcase classname="sealbench.compare" name="${name}"`;
    if (kind === 'passed') return `${open}/>`;
    return `${open}>\n      <${kind} message="${escaped(message)}"/>\n    </testcase>`;
  });
  const counts =
    `tests="${cases.length}" failures="${count('failure')}" ` +
    `errors="${count('error')}" skipped="${count('skipped')}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="sealbench" ${counts}>`,
    `  <testsuite name="${escaped(`${head} against ${base}`)}" ${counts}>`,
    ...lines,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function resultOf(cell: ComparedCell): { readonly kind: string; readonly message: string } {
  const { failure } = cell;
  if (failure !== undefined) {
    const kind = failure.side === 'head' ? 'error' : 'skipped';
    return { kind, message: `${failure.side}: ${failure.status}: ${failure.reason}` };
  }
  const worse = [
    ...finalCosts(cell).filter(({ decides, final }) => decides && final === 'regressed'),
    ...changedBeyond(cell),
  ].map(({ name, base, head }) => `${name} is ${(head / base).toFixed(4)} times the base`);
  if (worse.length > 0) return { kind: 'failure', message: worse.join('; ') };
  if (isTooNoisy(cell) || saysNothing(cell))
    return { kind: 'skipped', message: 'too noisy to decide' };
  return { kind: 'passed', message: '' };
}

function escaped(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '?')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
