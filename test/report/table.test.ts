import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as check, double, property } from 'fast-check';
import type { Estimate } from '../../src/report/estimates.ts';
import {
  formatEstimate,
  formatNumber,
  formatQuantity,
  scaleFor,
} from '../../src/report/numbers.ts';
import {
  renderMarkdown,
  renderParagraph,
  renderTable,
  type Table,
} from '../../src/report/table.ts';
import { displayWidth, forMarkdown, forTerminal } from '../../src/report/text.ts';

function estimate(value: number, low?: number, high?: number): Estimate {
  return { value, low, high, repeats: 3 };
}

test('numbers have at most three significant digits and no negative zero', () => {
  const shown: [number, string][] = [
    [0, '0'],
    [-0, '0'],
    [7, '7'],
    [999, '999'],
    [999.6, '1000'],
    [1_234, '1230'],
    [12.345, '12.3'],
    [9.999, '10.0'],
    [-0.045_67, '-0.0457'],
    [0.5, '0.500'],
    [Number.NaN, '-'],
    [Infinity, '-'],
    [1e-20, '0'],
  ];
  for (const [value, text] of shown) assert.equal(formatNumber(value), text, String(value));
});

test('a printed number is within half a unit of its third digit', () => {
  check(
    property(double({ min: 1e-6, max: 1e12, noNaN: true }), (value) => {
      const text = formatNumber(value);
      assert.ok(Math.abs(Number(text) - value) <= 0.005 * value * (1 + 1e-9), text);
      const digits = text.replace('.', '').replace(/^0+/, '');
      assert.ok(digits.replace(/0+$/, '').length <= 3, text);
    }),
  );
});

test('the bounds of an interval have no more decimals than the value', () => {
  const one = { unit: '', factor: 1 };
  assert.equal(formatEstimate(estimate(12.34, 9.876, 104.3), one), '12.3 [9.9, 104]');
  assert.equal(formatEstimate(estimate(0, -0.25, 0.5), one), '0 [-0.250, 0.500]');
  assert.equal(formatEstimate(estimate(12, 11.5, 12.5), one), '12.0 [11.5, 12.5]');
  assert.equal(formatEstimate(estimate(80, 80, 80), one), '80');
  assert.equal(formatEstimate(estimate(1.5), one), '1.50');
});

test('a column takes the scale of its middle value', () => {
  assert.equal(scaleFor('ns', [0, 0, 900, 1_500, 2e9]).unit, 'us');
  assert.equal(scaleFor('ns', []).unit, 'ns');
  assert.equal(scaleFor('B', [10 * 1024]).unit, 'KiB');
  assert.equal(scaleFor('messages/s', [5]).unit, 'messages/s');
  assert.equal(formatQuantity(14_230, 'ns'), '14.2 us');
  assert.equal(formatQuantity(0.0713, 'share'), '7.13%');
});

const TABLE: Table = {
  title: 'A table',
  columns: [
    { title: 'pipeline' },
    { title: 'all', unit: 'ns' },
    { title: 'ratio', unit: '' },
    { title: 'bytes', unit: 'B' },
  ],
  rows: [
    { cells: ['transport', estimate(1_500, 1_400, 1_610), undefined, estimate(16, 16, 16)] },
    {
      cells: ['double-ratchet', estimate(14_230, 13_900, 14_600), estimate(9.5), estimate(96.25)],
    },
    { cells: ['libsignal'], remark: 'unavailable: not installed' },
  ],
  notes: ['First note, which is long enough to be broken.', 'Second note.'],
};

test('a table is aligned: text left, numbers right, reasons in place of numbers', () => {
  assert.equal(
    renderTable(TABLE),
    [
      'A table',
      '',
      'pipeline                 all (us)  ratio  bytes (B)',
      '--------------  -----------------  -----  ---------',
      'transport       1.50 [1.40, 1.61]      -         16',
      'double-ratchet  14.2 [13.9, 14.6]   9.50       96.3',
      'libsignal       unavailable: not installed',
      '',
      'First note, which is long enough to be broken.',
      'Second note.',
      '',
    ].join('\n'),
  );
});

test('a table wider than the terminal is cut into several with the same first column', () => {
  const text = renderTable(TABLE, { width: 40 });
  assert.equal(
    text,
    [
      'A table',
      '',
      'pipeline                 all (us)  ratio',
      '--------------  -----------------  -----',
      'transport       1.50 [1.40, 1.61]      -',
      'double-ratchet  14.2 [13.9, 14.6]   9.50',
      'libsignal       unavailable: not',
      '                  installed',
      '',
      'pipeline        bytes (B)',
      '--------------  ---------',
      'transport              16',
      'double-ratchet       96.3',
      '',
      'First note, which is long enough to be',
      '  broken.',
      'Second note.',
      '',
    ].join('\n'),
  );
});

test('a later part leaves out what it has nothing to say of, headings too', () => {
  const table: Table = {
    title: '',
    columns: [{ title: 'pipeline' }, { title: 'all', unit: '' }, { title: 'authority', unit: '' }],
    rows: [
      { cells: [], heading: 'without' },
      { cells: ['a', estimate(1), undefined] },
      { cells: [], heading: 'with' },
      { cells: ['b', estimate(2), undefined] },
      { cells: ['c', estimate(3), estimate(4)] },
    ],
    notes: [],
  };
  assert.equal(
    renderTable(table, { width: 20 }),
    [
      'pipeline  all',
      '--------  ---',
      'without',
      'a           1',
      'with',
      'b           2',
      'c           3',
      '',
      'pipeline  authority',
      '--------  ---------',
      'with',
      'c                 4',
      '',
    ].join('\n'),
  );
  assert.match(renderMarkdown(table), /^\| \*\*with\*\* \|  \|  \|$/m);
});

const STAGES: Table = {
  title: '',
  columns: [
    { title: 'pipeline' },
    { title: 'p50', unit: 'ns', over: 'send' },
    { title: 'p99', unit: 'ns', over: 'send' },
    { title: 'p50', unit: 'ns', over: 'relay store' },
  ],
  rows: [{ cells: ['transport', estimate(1_234), estimate(5_678), estimate(900)] }],
  notes: [],
};

test('columns that belong together stand under one text and are not parted', () => {
  const heads = (width: number): string[] =>
    renderTable(STAGES, { width })
      .split('\n')
      .filter((line) => /send|relay|p50|p99/.test(line));
  assert.deepEqual(heads(60), [
    '           ------ send ------  relay store',
    'pipeline   p50 (us)  p99 (us)     p50 (ns)',
  ]);
  assert.deepEqual(heads(40), [
    '           ------ send ------',
    'pipeline   p50 (us)  p99 (us)',
    '           relay store',
    'pipeline      p50 (ns)',
  ]);
  assert.deepEqual(heads(20), [
    '               send',
    'pipeline   p50 (us)',
    '               send',
    'pipeline   p99 (us)',
    '           relay store',
    'pipeline      p50 (ns)',
  ]);
  assert.match(renderMarkdown(STAGES), /^\| pipeline \| send p50 \(us\) \| send p99/);
});

test('a column can have fewer decimals, for its intervals too', () => {
  const one = { unit: '', factor: 1 };
  assert.equal(formatEstimate(estimate(0.0791, 0, 0.2504), one, 2), '0.08 [0, 0.25]');
  assert.equal(formatEstimate(estimate(12.34, 9.876, 104.3), one, 2), '12.3 [9.9, 104]');
  assert.equal(formatEstimate(estimate(0.0791), one, 2), '0.08');
  assert.equal(formatEstimate(estimate(5), one, 2), '5');
});

test('a reason is broken beside the names', () => {
  const row = { cells: ['libsignal'], remark: 'unavailable: the library is not installed here' };
  const text = renderTable({ ...TABLE, rows: [row], notes: [] }, { width: 40 });
  assert.deepEqual(text.split('\n').slice(4, 7), [
    'libsignal  unavailable: the library is',
    '             not installed here',
    '',
  ]);
});

test('a number and its unit stay on one line', () => {
  assert.equal(
    renderParagraph('it takes 12.3 us (95 % interval)', 15),
    'it takes\n  12.3 us (95 %\n  interval)',
  );
  assert.equal(renderParagraph('that is a sum', 9), 'that is a\n  sum');
});

test('the same table as Markdown', () => {
  assert.equal(
    renderMarkdown(TABLE),
    [
      '**A table**',
      '',
      '| pipeline | all (us) | ratio | bytes (B) |',
      '| --- | --: | --: | --: |',
      String.raw`| transport | 1.50 [1.40, 1.61] | - | 16 |`,
      String.raw`| double-ratchet | 14.2 [13.9, 14.6] | 9.50 | 96.3 |`,
      '| libsignal | unavailable: not installed |  |  |',
      '',
      '- First note, which is long enough to be broken.',
      '- Second note.',
      '',
    ].join('\n'),
  );
});

test('a table without rows is its headings', () => {
  assert.equal(
    renderTable({ title: '', columns: [{ title: 'pipeline' }], rows: [], notes: [] }),
    'pipeline\n--------\n',
  );
});

test('colour is off unless asked for, and only on the headings', () => {
  assert.ok(!renderTable(TABLE).includes('\u001B'));
  assert.equal(renderTable(TABLE, { colour: true }).split('\u001B').length, 3);
});

test('control characters in names reach neither a terminal nor Markdown', () => {
  const name = '\u001B[31mred\r\n\u0000\u202Ename';
  const table: Table = {
    title: name,
    columns: [{ title: name }, { title: 'n', unit: name }],
    rows: [{ cells: [name, estimate(1)] }, { cells: [name], remark: name }],
    notes: [name],
  };
  for (const text of [renderTable(table), renderMarkdown(table)]) {
    // oxlint-disable-next-line no-control-regex -- These are what must not be there.
    assert.doesNotMatch(text, /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202E]/);
  }
  assert.equal(
    forTerminal('a\nb\u001B[0m\u2028\u007F\u009B'),
    String.raw`a\x0ab\x1b[0m\u2028\x7f\x9b`,
  );
  assert.equal(renderTable(table).split('\n').length, 9);
});

test('markup in names is text in Markdown', () => {
  assert.equal(
    forMarkdown('<script>|`a`*b*_c_[d](e)&amp;'),
    String.raw`&lt;script&gt;\|\`a\`\*b\*\_c\_\[d\](e)&amp;amp;`,
  );
});

test('wide and combining characters are counted as terminals show them', () => {
  assert.equal(displayWidth('abc'), 3);
  assert.equal(displayWidth('e\u0301'), 1);
  assert.equal(displayWidth('\u6F22\u5B57'), 4);
  assert.equal(displayWidth('\u{1F512}'), 2);
});
