import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quoteArguments, repeatingArguments } from '../../src/report/command-line.ts';

test('a command line is repeated without the folder of its results', () => {
  const argv = ['run', 'curated/ladder', '--out', '/tmp/a b', '--repeats', '3', '--resume=x'];
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
