import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { cellName, formatName, isFileName, parseName, segment } from '../../src/suite/names.ts';

const plainName = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,30}$/);
const fileName = fc.stringMatching(/^[a-zA-Z0-9 ._/é-]{0,30}[a-z]\.(ts|js|mjs|json)$/);
const key = fc.stringMatching(/^[a-z][A-Za-z0-9-]{0,10}$/);
const value = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,10}$/),
  fc.integer({ min: -1e9, max: 1e9 }).map(String),
  fc.integer({ min: 0, max: 1e6 }).map((n) => String(n / 1000)),
);
const name = fc.record(
  {
    name: fc.oneof(plainName, fileName),
    options: fc.dictionary(key, value, { maxKeys: 5, noNullPrototype: true }),
  },
  { noNullPrototype: true },
);

void test('parsing what was formatted gives the same name back', () => {
  fc.assert(
    fc.property(name, (one) => {
      assert.deepEqual(parseName(formatName(one)), one);
    }),
  );
});

void test('formatting what was parsed sorts the options and changes nothing else', () => {
  assert.equal(formatName(parseName('chat')), 'chat');
  assert.equal(formatName(parseName('chat:sessions=4,loss=0.01')), 'chat:loss=0.01,sessions=4');
  fc.assert(
    fc.property(name, (one) => {
      const text = formatName(one);
      assert.equal(formatName(parseName(text)), text);
    }),
  );
});

void test('whatever the text, parsing gives a name or refuses it as bad input', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      try {
        parseName(text);
      } catch (error) {
        assert.equal((error as { code?: unknown }).code, 'BAD_INPUT');
      }
    }),
  );
});

for (const text of [
  '',
  ':',
  'chat:',
  'chat:sessions',
  'chat:sessions=',
  'chat:=4',
  'chat:sessions=4,',
  'chat:sessions=4,sessions=5',
  'chat: sessions=4',
  'chat:sessions=4:loss=1',
  'chat:__proto__=1',
  'Chat',
  'chat room',
  '../chat',
  '<script>alert(1)</script>',
  './<b>.ts',
  './a\u202e.ts',
  './a\n.ts',
  './c:/a.ts',
  'chat:sessions=<b>',
  'a'.repeat(301),
]) {
  void test(`${JSON.stringify(text.slice(0, 40))} is refused as a name`, () => {
    assert.throws(() => parseName(text), { code: 'BAD_INPUT', message: /expected/ });
  });
}

void test('the path of a file is a name, and only its last part is shown in cells', () => {
  assert.deepEqual(parseName('./my folder/my.ts:hop=none'), {
    name: './my folder/my.ts',
    options: { hop: 'none' },
  });
  assert.equal(segment(parseName('/home/someone/my.ts:hop=none')), 'my.ts:hop=none');
  assert.equal(isFileName('triple-ratchet.libsignal'), false);
});

void test("a cell is named by its suite's last part and its coordinates", () => {
  assert.equal(
    cellName('curated/ladder', 'double-ratchet:hop=none', 'native', 'chat:sessions=1000', 1),
    'ladder/double-ratchet:hop=none/native/chat:sessions=1000/t1',
  );
});
