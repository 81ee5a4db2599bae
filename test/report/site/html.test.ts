/** Nothing of unknown origin becomes markup. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert as check, constantFrom, json, property, string } from 'fast-check';
import { dataBlock, escapeHtml, markup, trusted } from '../../../src/report/site/html.ts';

const SPECIAL = ['<', '>', '"', "'", '&', ';', '#', 'lt', 'script', '/', ' ', 'a', '\u{1F600}'];
const printable = string({ unit: constantFrom(...SPECIAL) });
const anyText = string({ unit: constantFrom(...SPECIAL, '\0', '\n', '\u2028', '\u202E') });

/** What a browser makes of escaped text. */
function unescape(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}

test('text stays text in elements and in attributes', () => {
  check(
    property(anyText, (text) => {
      const escaped = escapeHtml(text);
      assert.doesNotMatch(escaped, /[<>"']/);
      assert.doesNotMatch(escaped, /&(?!(?:lt|gt|quot|amp|#39);)/);
    }),
  );
  check(
    property(printable, (text) => {
      assert.equal(unescape(escapeHtml(text)), text);
    }),
  );
});

test('a template escapes every part but HTML, also in lists', () => {
  const page = markup`<b title="${'"><script>'}">${['<i>', trusted('<u>x</u>'), 3]}${false}${undefined}</b>`;
  assert.equal(page.toString(), '<b title="&quot;&gt;&lt;script&gt;">&lt;i&gt;<u>x</u>3</b>');
});

test('a data block holds its value and cannot be ended early', () => {
  check(
    property(json(), array(anyText, { maxLength: 5 }), (text, strings) => {
      const value: unknown = [JSON.parse(text), strings, '</script><script>', '<!--'];
      const block = dataBlock('x', value).toString();
      const content = block.slice(block.indexOf('>') + 1, block.lastIndexOf('</script>'));
      assert.ok(!content.includes('<'));
      assert.deepEqual(JSON.parse(content), JSON.parse(JSON.stringify(value)));
    }),
  );
});
