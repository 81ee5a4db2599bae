/** All that is printed of a small run, as it is printed. */

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { deriveCells } from '../../src/report/cells.ts';
import {
  renderSummary,
  renderSummaryMarkdown,
  summaryOf,
  type Summary,
} from '../../src/report/summary.ts';
import { displayWidth } from '../../src/report/text.ts';
import { E3, L3, L4, L6, record, recordsOfCosts, SIDE, type Costs } from './fixtures.ts';

const SUITE = {
  title: 'A small ladder',
  question: 'What does it cost?',
  analysis: ['Read it with care.'],
  baseline: 'double-ratchet',
};

const note = (
  name: string,
  adds?: string,
): Parameters<typeof summaryOf>[0]['pipelines'][number] => {
  return {
    name,
    title: `title of ${name}`,
    family: 'ratchet',
    rung: 'L4',
    adds,
    caveats: ['But.'],
  };
};

/** Three repeats that drift together by 2 %, and on their own by less. */
function drifting(costs: Costs, wobble = 0): Costs[] {
  const scaled = (factor: number): Costs => {
    const { opening, authority, connect = 20_000 } = costs;
    return {
      sender: costs.sender * factor,
      relay: costs.relay * factor,
      receiver: costs.receiver * factor,
      connect: connect * factor,
      ...(authority === undefined ? {} : { authority: authority * factor }),
      ...(opening === undefined
        ? {}
        : {
            opening: {
              publish: opening.publish * factor,
              initiate: opening.initiate * factor,
              accept: opening.accept * factor,
            },
          }),
    };
  };
  return [scaled(1), scaled(1.02 + wobble), scaled(1.04 - wobble)];
}

const opening = { publish: 20_000, initiate: 80_000, accept: 90_000 };

async function small(): Promise<Summary> {
  const e3 = { sender: 10_000, relay: 3_000, receiver: 9_500, authority: 30_000, opening };
  const cells = await deriveCells([
    ...recordsOfCosts(E3, drifting(e3)),
    ...recordsOfCosts(SIDE, drifting({ sender: 60_000, relay: 3_000, receiver: 45_000 })),
    ...recordsOfCosts(L3, drifting({ sender: 1_100, relay: 4_300, receiver: 1_200 })),
    ...recordsOfCosts(
      L6,
      drifting({ sender: 5_000, relay: 3_000, receiver: 9_000, opening }, 0.001),
    ),
    record({ ...L4, status: 'unavailable', reason: 'the library is not installed' }),
  ]);
  return summaryOf({
    suite: SUITE,
    cells,
    pipelines: [note('double-ratchet', 'post-compromise security'), note('at-rest-scoped')],
    overhead: {
      cpuNs: { value: 90, low: 80, high: 110, repeats: 3 },
      latencyNs: { value: 130, low: undefined, high: undefined, repeats: 1 },
      emptyCallNs: {},
    },
  });
}

for (const [name, render] of [
  ['summary-120.txt', (summary: Summary) => renderSummary(summary)],
  ['summary-80.txt', (summary: Summary) => renderSummary(summary, { width: 80 })],
  ['summary-markdown.txt', renderSummaryMarkdown],
] as const) {
  test(`a run as it is printed: ${name}`, async () => {
    const file = join(import.meta.dirname, 'golden', name);
    const text = render(await small());
    if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(file, text);
    assert.equal(text, await readFile(file, 'utf8'), 'UPDATE_GOLDEN=1 writes it anew');
  });
}

test('no line is wider than the terminal', async () => {
  const summary = await small();
  for (const width of [60, 80, 100, 120]) {
    for (const line of renderSummary(summary, { width }).split('\n')) {
      assert.ok(displayWidth(line) <= width, `${width}: ${line}`);
    }
  }
});

test('names with control characters and markup are text everywhere', async () => {
  const pipeline = 'evil\u001B[2J\n<b>.ts';
  const cells = await deriveCells(
    recordsOfCosts({ ...L6, pipeline }, [{ sender: 1, relay: 1, receiver: 1 }]),
  );
  const summary = summaryOf({ suite: { ...SUITE, baseline: undefined }, cells, pipelines: [] });
  const text = renderSummary(summary);
  assert.match(text, /L6 evil\\x1b\[2J\\x0a<b>\.ts/);
  assert.match(text, /in evil\\x1b\[2J\\x0a<b>\.ts/);
  const markdown = renderSummaryMarkdown(summary);
  assert.ok(!markdown.includes('<b>') && !markdown.includes('\u001B'));
});

test('a run without cells is printed', () => {
  const summary = summaryOf({ suite: SUITE, cells: [], pipelines: [] });
  assert.match(
    renderSummary(summary),
    /^A small ladder\nWhat does it cost\?\nVerdict: unjudged\. No message was measured\.\n\n[\s\S]*No cell has fig/,
  );
});
