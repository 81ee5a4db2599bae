import assert from 'node:assert/strict';
import test from 'node:test';
import { digestOf } from '../../src/suite/digest.ts';
import { loadWorkload } from '../../src/suite/parse.ts';
import type { Suite } from '../../src/suite/suite.ts';

const suite: Suite = { name: 'mine', title: 't', question: 'q', analysis: [], matrix: [] };

void test('a workload whose numbers change changes the digest under the same name', async () => {
  const chat = await loadWorkload('chat');
  const digest = digestOf(suite, [chat]);
  const changed = { ...chat, workload: { ...chat.workload, messages: 41 } };
  assert.notEqual(digestOf(suite, [changed]), digest);
  assert.notEqual(digestOf(suite, []), digest);
  const moved = { ...chat, workload: { ...chat.workload, $schema: 'elsewhere.json' } };
  assert.equal(digestOf({ ...suite, $schema: 'elsewhere.json' }, [moved]), digest);
});
