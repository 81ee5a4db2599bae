/** The example of docs/: a library in a repository of its own gates itself, with real processes. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { PACKAGE_ROOT } from '../../src/core/paths.ts';
import { sealbench, type Ended } from './_command-line.ts';

const EXAMPLE = join(PACKAGE_ROOT, 'docs', 'examples', 'gate');
/** Work for a moment: what is tried here is the way, not the figures. */
const SHORT = [
  '--workload=one-way:messages=8,sessions=4',
  '--filter=/double-ratchet/',
  '--blocks=2',
  '--json',
];

async function library(t: TestContext): Promise<{ folder: string; compare(): Promise<Ended> }> {
  const root = realpathSync(await mkdtemp(join(tmpdir(), 'sealbench-example-')));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, 'library');
  cpSync(EXAMPLE, folder, { recursive: true });
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(PACKAGE_ROOT, join(folder, 'node_modules', 'sealbench'), 'junction');
  writeFileSync(join(folder, '.gitignore'), 'node_modules\n');
  const who = ['-c', 'user.name=A', '-c', 'user.email=a@example.org', '-c', 'commit.gpgsign=false'];
  for (const args of [['init'], ['add', '.'], [...who, 'commit', '-m', 'first']]) {
    execFileSync('git', args, { cwd: folder, stdio: 'ignore' });
  }
  mkdirSync(join(root, 'tmp'));
  let outs = 0;
  const compare = (): Promise<Ended> =>
    sealbench(
      [
        'compare',
        'HEAD',
        '.',
        '--provider',
        './provider.ts',
        ...SHORT,
        '--out',
        join(root, `out-${outs++}`),
      ],
      { cwd: folder, env: { TMPDIR: join(root, 'tmp'), GITHUB_STEP_SUMMARY: '' } },
    );
  return { folder, compare };
}

test('the library of the example is compared with what was committed, and a wrong one fails', async (t) => {
  const mine = await library(t);
  const { folder } = mine;
  const { status, out, err } = await mine.compare();
  assert.ok([0, 1, 4].includes(status!), `status ${status}: ${err}`);
  const { cells } = JSON.parse(out) as {
    cells: {
      cell: string;
      figures: { costs: { name: string }[]; exactCount: number; changed: unknown[] };
    }[];
  };
  assert.deepEqual(
    cells.map(({ cell }) => cell),
    ['gate/double-ratchet/provider.ts/one-way:messages=8,sessions=4/t1'],
  );
  const { costs, exactCount, changed } = cells[0]!.figures;
  assert.ok(costs.some(({ name }) => name === 'cpu-per-message all'));
  assert.ok(exactCount > 10, `${exactCount} exact figures`);
  assert.deepEqual(
    changed.filter((one) => !JSON.stringify(one).includes('retained-bytes')),
    [],
  );

  const file = join(folder, 'aead.ts');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('    return true;', '    out[0]! ^= 1;\n    return true;'));
  const wrong = await mine.compare();
  assert.equal(wrong.status, 3, wrong.err);
  assert.match(wrong.err, /head: error: /);
});
