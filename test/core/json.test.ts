import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { z } from 'zod';
import {
  badFile,
  canonicalJson,
  checkShape,
  jsonPath,
  parseJson,
  printable,
  quoted,
} from '../../src/core/json.ts';

const schema = z.strictObject({
  name: z.string().max(5),
  count: z.int().min(1).max(9),
  kind: z.enum(['fixed', 'random']).optional(),
  parts: z.array(z.strictObject({ threads: z.array(z.number()).min(1) })),
  size: z.discriminatedUnion('shape', [
    z.strictObject({ shape: z.literal('square'), side: z.number() }),
    z.strictObject({ shape: z.literal('circle'), radius: z.number() }),
  ]),
});
const good = { name: 'a', count: 1, parts: [{ threads: [1] }], size: { shape: 'square', side: 1 } };

function problemsOf(change: object): readonly string[] {
  return checkShape(schema, { ...good, ...change }).problems ?? [];
}

void test('what fits its schema is returned', () => {
  assert.deepEqual(checkShape(schema, good), { value: good });
});

void test('each problem names its path, what was expected and what was found', () => {
  assert.deepEqual(problemsOf({ name: 3 }), ['name: expected a string, found 3']);
  assert.deepEqual(problemsOf({ name: undefined }), ['name: expected a string, found nothing']);
  assert.deepEqual(problemsOf({ name: 'toolong' }), [
    'name: expected at most 5 characters, found "toolong"',
  ]);
  assert.deepEqual(problemsOf({ count: -1 }), ['count: expected at least 1, found -1']);
  assert.match(problemsOf({ count: 1e300 }).join(), /count: expected at most 9, found 1e\+300/);
  assert.deepEqual(problemsOf({ count: 10 }), ['count: expected at most 9, found 10']);
  assert.deepEqual(problemsOf({ count: 1.5 }), ['count: expected an integer, found 1.5']);
  assert.deepEqual(problemsOf({ count: Infinity }), ['count: expected a number, found Infinity']);
  assert.deepEqual(problemsOf({ parts: {} }), ['parts: expected a list, found an object']);
  assert.deepEqual(problemsOf({ parts: [{ threads: [] }] }), [
    'parts[0].threads: expected at least 1 items, found a list of 0',
  ]);
  assert.deepEqual(checkShape(schema, null), { problems: ['expected an object, found null'] });
});

void test('an unknown key or word gets the nearest known one of that place', () => {
  assert.deepEqual(problemsOf({ cuont: 1 }), ['unknown key "cuont"; did you mean "count"?']);
  assert.deepEqual(problemsOf({ parts: [{ threads: [1], thread: 2 }] }), [
    'parts[0]: unknown key "thread"; did you mean "threads"?',
  ]);
  assert.deepEqual(problemsOf({ size: { shape: 'circle', radius: 1, radios: 1 } }), [
    'size: unknown key "radios"; did you mean "radius"?',
  ]);
  assert.deepEqual(problemsOf({ kind: 'fixd' }), [
    'kind: expected one of fixed, random, found "fixd"; did you mean "fixed"?',
  ]);
  assert.deepEqual(problemsOf({ size: { shape: 'sqare' } }), [
    'size.shape: expected one of square, circle, found "sqare"; did you mean "square"?',
  ]);
  const polluting = JSON.parse('{"__proto__":1}') as object;
  assert.match(problemsOf(polluting).join(), /^unknown key "__proto__"/);
});

void test('more than ten problems are counted, not listed', () => {
  const problems = Array.from({ length: 14 }, (_, index) => `p${index}`);
  const { message } = badFile('file', problems);
  assert.match(message, /^file: 14 problems\n {2}p0\n/);
  assert.match(message, /p9\n {2}and 4 more$/);
});

function refused(text: string, pattern: RegExp): void {
  assert.throws(() => parseJson(text, 'f.json'), { code: 'BAD_INPUT', message: pattern });
}

void test('text that is not JSON is refused with its place and without quoting it', () => {
  refused('', /f\.json: expected JSON, found nothing/);
  refused(' \n', /found nothing/);
  refused('{"a":1,\n"b" 2}', /a mistake at line 2 column 5/);
  refused('{"secret": "\u001b[31m', /found a mistake/);
  refused('not json', /found a mistake/);
  refused('['.repeat(65) + ']'.repeat(65), /at most 64 levels of nesting, found 65/);
  refused('['.repeat(1_000_000), /at most 64 levels/);
});

void test('brackets and escaped quotes inside strings are no nesting', () => {
  const text = JSON.stringify({ a: '['.repeat(100), b: '\\"[[', c: '\\', d: ['"'] });
  assert.deepEqual(parseJson(text, 'f'), JSON.parse(text));
  assert.throws(() => parseJson('"\\"'.repeat(200_000), 'f'), { code: 'BAD_INPUT' });
});

void test('invisible characters reach messages only as escapes', () => {
  assert.equal(printable('a\u001b[31m\u202eb'), 'a\\u{001b}[31m\\u{202e}b');
  assert.equal(quoted('x'.repeat(200)), `"${'x'.repeat(80)}..." (200 characters)`);
  assert.equal(jsonPath(['a', 0, 'b c', '<b>']), 'a[0]["b c"]["<b>"]');
});

void test('canonical JSON depends on the data alone', () => {
  assert.equal(
    canonicalJson({ b: [1, { d: null, c: 'x' }], a: undefined }),
    '{"b":[1,{"c":"x","d":null}]}',
  );
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (data) => {
      const turned = Object.fromEntries(Object.entries(data).toReversed());
      assert.equal(canonicalJson(turned), canonicalJson(data));
      assert.equal(canonicalJson(JSON.parse(JSON.stringify(data))), canonicalJson(data));
      assert.deepEqual(JSON.parse(canonicalJson(data)), JSON.parse(JSON.stringify(data)));
    }),
  );
});
