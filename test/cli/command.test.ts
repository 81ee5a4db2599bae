/** What a command's description makes of argument lists. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { defineCommand, EXIT, type Output } from '../../src/cli/command.ts';
import { HarnessError } from '../../src/core/errors.ts';

let received: unknown;
const command = defineCommand({
  name: 'sample',
  summary: 'Does nothing',
  positionals: {
    suite: { placeholder: 'SUITE', summary: 'a suite' },
    folder: { placeholder: 'DIR', summary: 'where to', default: 'here' },
  },
  options: {
    budget: { kind: 'choice', values: ['quick', 'standard'], summary: 'how long' },
    with: { kind: 'list', placeholder: 'NAME', summary: 'which' },
    threads: { kind: 'integer', min: 1, max: 64, summary: 'how many' },
    out: { kind: 'text', placeholder: 'DIR', summary: 'a folder' },
    json: { kind: 'flag', summary: 'for programs' },
  },
  examples: ['sample one'],
  run: (invocation) => {
    received = { positionals: invocation.positionals, options: invocation.options };
    return Promise.resolve(EXIT.fine);
  },
});

let printed = '';
const output: Output = {
  print: (text) => {
    printed += text;
  },
  note: () => {},
  interactive: false,
};

async function run(...args: string[]): Promise<unknown> {
  received = undefined;
  printed = '';
  await command.run(args, output);
  return received;
}

function refuses(args: readonly string[], message: RegExp): Promise<void> {
  return assert.rejects(run(...args), (error) => {
    assert.ok(error instanceof HarnessError && error.code === 'BAD_INPUT');
    assert.match(error.message, message);
    return true;
  });
}

test('options arrive as values of their kind, wherever they stand', async () => {
  assert.deepEqual(
    await run(
      '--threads',
      '2',
      'one',
      '--with=a',
      '--with',
      'b',
      '--json',
      '--budget=quick',
      '--out',
      'x',
    ),
    {
      positionals: { suite: 'one', folder: 'here' },
      options: { threads: 2, with: ['a', 'b'], json: true, budget: 'quick', out: 'x' },
    },
  );
});

test('options that are not given are absent, flags are false and lists empty', async () => {
  assert.deepEqual(await run('one', 'two'), {
    positionals: { suite: 'one', folder: 'two' },
    options: { json: false, with: [] },
  });
});

test('what follows two dashes is positional', async () => {
  assert.deepEqual(await run('--', '--json'), {
    positionals: { suite: '--json', folder: 'here' },
    options: { json: false, with: [] },
  });
});

test('an unknown option is refused with the nearest known one', async () => {
  await refuses(['one', '--thraeds', '2'], /unknown option --thraeds; did you mean --threads\?/);
  await refuses(['one', '--completely-else'], /unknown option --completely-else; see "sealbench/);
  await refuses(['one', '-j'], /unknown option -j/);
  await refuses(['one', '--toString'], /unknown option --toString/);
  await refuses(['one', '--no-json'], /unknown option --no-json/);
});

test('a value of the wrong kind is refused with what was expected', async () => {
  const integer = /--threads expected an integer from 1 to 64, got "/;
  for (const text of ['0', '65', '1.5', 'two', '1e1', '0x2', ' 2', 'NaN', 'Infinity']) {
    await refuses(['one', `--threads=${text}`], integer);
  }
  await refuses(['one', '--budget=endless'], /--budget expected one of quick, standard, got "end/);
  await refuses(['one', '--json=yes'], /--json takes no value, got "yes"/);
});

test('an option without its value is refused, and does not swallow the next option', async () => {
  await refuses(['one', '--threads'], /--threads expected an integer from 1 to 64, got nothing/);
  await refuses(['one', '--out', '--json'], /--out expected DIR, got nothing/);
  await refuses(['one', '--out='], /--out expected DIR, got nothing/);
});

test('an option that is given twice is refused', async () => {
  await refuses(['one', '--threads=1', '--threads=2'], /--threads is given twice/);
});

test('a missing and an excess positional are refused', async () => {
  await refuses([], /expected SUITE \(a suite\), got nothing; see "sealbench sample --help"/);
  await refuses([''], /expected SUITE/);
  await refuses(['one', 'two', 'three'], /takes SUITE DIR, got also "three"/);
});

test('help is printed wherever it is asked for and nothing runs', async () => {
  for (const args of [['--help'], ['-h'], ['one', '--threads=no', '--help']]) {
    assert.equal(await run(...args), undefined);
    assert.match(printed, /^Usage: sealbench sample SUITE \[DIR\] \[options\]/);
    assert.match(printed, /--budget quick\|standard {2}how long/);
    assert.match(printed, /Example:\n {2}sealbench sample one/);
  }
});

test('any arguments either run, print help or are refused as bad input', async () => {
  const argument = fc.oneof(
    fc.string(),
    fc.constantFrom('--json', '--threads', '--out=', '--with=', '-h', '--', '-', '--__proto__'),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(argument, { maxLength: 6 }), async (args) => {
      try {
        await run(...args);
      } catch (error) {
        assert.ok(error instanceof HarnessError, String(error));
      }
    }),
  );
});
