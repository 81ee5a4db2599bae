import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  cellArguments,
  quoteArguments,
  repeatingArguments,
  runArguments,
  type RunRequest,
} from '../../src/report/command-line.ts';

const REQUEST: RunRequest = {
  suite: 'curated/ladder',
  budget: 'thorough',
  seed: 3,
  provider: ['./mine.ts'],
  pipeline: [],
  workload: [],
};

test('a command line is repeated without the folder of its results', () => {
  const argv = ['run', 'curated/ladder', '--out', '/tmp/a b', '--repeats', '3', '--resume=x'];
  assert.equal(
    repeatingArguments([...argv, '--profile', 'a.b', '--profile=c']),
    'run curated/ladder --repeats 3',
  );
  assert.equal(repeatingArguments(argv), 'run curated/ladder --repeats 3');
  assert.equal(
    repeatingArguments(argv, ['--resume', 'results/runs/one']),
    'run curated/ladder --repeats 3 --resume results/runs/one',
  );
});

test('what a shell would read otherwise is quoted', () => {
  assert.equal(
    quoteArguments(['--filter', "a|b's", 'chat:loss=0.1']),
    String.raw`--filter 'a|b'\''s' chat:loss=0.1`,
  );
});

test('a request is written as the arguments that ask for it', () => {
  assert.equal(
    runArguments(REQUEST).join(' '),
    'run curated/ladder --budget thorough --seed 3 --provider ./mine.ts',
  );
  const all = {
    ...REQUEST,
    filter: '-a',
    repeats: 2,
    threads: 4,
    until: '2%',
    workload: ['x', 'y'],
  };
  assert.equal(
    runArguments(all).join(' '),
    'run curated/ladder --filter=-a --budget thorough --seed 3 --repeats 2 --threads 4 --until 2% ' +
      '--provider ./mine.ts --workload x --workload y',
  );
});

test('the arguments of a cell ask for as many repeats as it had, however many the run may have', () => {
  const cell = { cell: 'ladder/a:b=0.1/native/chat/t2', threads: 2 };
  const line = quoteArguments(cellArguments({ ...REQUEST, filter: 'a', until: '2%' }, cell, 17));
  assert.equal(
    line,
    String.raw`run curated/ladder --filter '^ladder/a:b=0\.1/native/chat/t2$' --budget thorough ` +
      '--seed 3 --repeats 17 --threads 2 --provider ./mine.ts',
  );
});

test('the filter of a cell matches that cell and no other text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (cell, other) => {
      const args = cellArguments(REQUEST, { cell, threads: 1 }, 1);
      const pattern = new RegExp(args[args.indexOf('--filter') + 1]!, 'u');
      assert.ok(pattern.test(cell));
      assert.equal(pattern.test(other), other === cell);
      assert.equal(pattern.test(`${cell}0`), false);
    }),
  );
});
