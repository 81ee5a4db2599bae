/** Real processes at a gate, and on a core that they are kept on. */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseCoreList, pinnableCores } from '../../src/core/cores.ts';
import { Gate } from '../../src/measure/gate.ts';
import { askChild } from '../../src/runner/child.ts';
import { runRepeat } from '../../src/runner/repeat.ts';
import { loadWorkload, specOf } from '../conformance/_parts.ts';

const { signal } = new AbortController();

test(
  'a repeat waits at its gate, with all its threads, until it opens',
  { timeout: 60_000 },
  async () => {
    const workload = await loadWorkload('one-way', { sessions: 4, messages: 4 });
    for (const threads of [1, 2]) {
      using gate = new Gate();
      const { folder } = gate;
      const running = runRepeat(
        {
          ...specOf({ pipeline: 'plaintext', provider: 'null', options: {}, workload }),
          purpose: 'measure',
          threads,
          gate: folder,
        },
        signal,
      );
      let isOver = false;
      void running.then(() => (isOver = true));
      // Were it not to come, this would not end.
      await gate.openFor(() => {
        assert.ok(!isOver, 'it went through a gate that was shut');
        return 1;
      });
      assert.ok(readdirSync(folder).includes('go'));
      const report = await running;
      assert.deepEqual([report.status, report.reason], ['ok', undefined]);
    }
  },
);

test('a child that is kept on a core has that core alone', async (t) => {
  const core = pinnableCores().at(-1);
  if (core === undefined)
    return t.skip('nothing keeps processes on a core here: no Linux, or no taskset');
  const folder = await mkdtemp(join(tmpdir(), 'sealbench-core-'));
  t.after(() => rm(folder, { recursive: true }));
  const worker = join(folder, 'worker.mjs');
  await writeFile(
    worker,
    "import { readFileSync } from 'node:fs';\n" +
      "const [, list] = /^Cpus_allowed_list:\\s*(\\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'));\n" +
      'console.log(JSON.stringify(list));\n',
  );
  const asked = await askChild(worker, {}, signal, { core });
  assert.ok('answer' in asked, JSON.stringify(asked));
  assert.deepEqual(parseCoreList(String(asked.answer)), [core]);
  return undefined;
});
