/** How the death of a child process is told. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { LIVE_DESCRIPTOR } from '../../src/measure/live.ts';
import { askChild, type ChildOptions } from '../../src/runner/child.ts';

const folder = await mkdtemp(join(tmpdir(), 'sealbench-child-'));
after(() => rm(folder, { recursive: true, force: true }));

/** Why a child that runs `code` gave no answer. */
async function deathBy(
  name: string,
  code: string,
  options?: ChildOptions,
  signal: AbortSignal = new AbortController().signal,
): Promise<string> {
  const worker = join(folder, `${name}.mjs`);
  await writeFile(worker, `import { writeSync } from 'node:fs';\n${code}\n`);
  const asked = await askChild(worker, {}, signal, options);
  assert.ok('died' in asked, JSON.stringify(asked));
  return asked.died;
}

const LIKELY = 'was killed by SIGKILL, which the system does when memory runs out';
const ADVICE = '; try a smaller cell';
const DIES = "process.kill(process.pid, 'SIGKILL');\nsetInterval(() => undefined, 1_000);";
const says = (text: string): string =>
  `writeSync(${LIVE_DESCRIPTOR}, ${JSON.stringify(`${text}\n`)});`;

test('a SIGKILL that nobody here sent is told to be likely for lack of memory', async () => {
  assert.equal(await deathBy('silent', DIES), `${LIKELY}${ADVICE}`);
});

test('it is told what the child last held, where it said so', async () => {
  const lines: unknown[] = [];
  const options = { onLive: (line: unknown) => lines.push(line) };
  const code = [
    says('{"rssBytes":1073741824}'),
    says('{"rssBytes":3435973837}'),
    says('{"phase":"traffic"}'),
    DIES,
  ].join('\n');
  assert.equal(
    await deathBy('watched', code, options),
    `${LIKELY} (it last held 3.2 GiB)${ADVICE}`,
  );
  assert.deepEqual(lines, [
    { rssBytes: 1_073_741_824 },
    { rssBytes: 3_435_973_837 },
    { phase: 'traffic' },
  ]);
  const other = await deathBy('other', `${says('null')}\n${says('7')}\n${DIES}`, options);
  assert.equal(other, `${LIKELY}${ADVICE}`);
});

test('a child that is killed from here is not told to have run out of memory', async () => {
  const abort = new AbortController();
  const code = `${says('{"rssBytes":1}')}\nsetInterval(() => undefined, 1_000);`;
  const options = { onLive: () => abort.abort() };
  assert.equal(await deathBy('aborted', code, options, abort.signal), 'was killed by SIGKILL');
});

test('a child that dies of another signal is told to have died of that', async () => {
  assert.equal(await deathBy('ended', DIES.replace('KILL', 'TERM')), 'was killed by SIGTERM');
});
