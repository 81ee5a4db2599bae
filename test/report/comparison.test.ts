/** A comparison as people read it, with figures that are made up. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareCell } from '../../src/compare/cell.ts';
import type { ComparedFigure } from '../../src/compare/figures.ts';
import {
  comparisonMarkdown,
  renderComparison,
  type ComparisonToShow,
} from '../../src/report/comparison.ts';

function figure(value: number): ComparedFigure[] {
  return [
    {
      name: 'instructions per message',
      metric: 'instructions',
      unit: 'instructions',
      direction: 'lower',
      value,
    },
  ];
}

function instructions(base: number, head: number): ComparisonToShow {
  const figures = compareCell([{ base: figure(base), copy: figure(base), head: figure(head) }]);
  return {
    base: 'main',
    head: '.',
    outcome: 'fine',
    cells: [{ cell: 'made up', figures }],
    planned: 1,
    effort: 'one count of each',
    machine: 'a machine',
  };
}

test('a cell that is exactly the same has a line that says so', () => {
  const same = instructions(1_000, 1_000);
  assert.match(renderComparison(same), /^no change +made up +the exact figure +1\.0000 +exact/m);
  assert.match(comparisonMarkdown(same), /\| no change \| made up \| the exact figure \|/);
});

test('a cell of which an exact figure changed has that line alone', () => {
  const text = renderComparison(instructions(1_000, 1_100));
  assert.match(text, /^REGRESSED +made up +instructions per message +1\.1000 +exact/m);
  assert.ok(!text.includes('no change'), text);
});
