/** The command line through its real entry point; repeats are made up where there are any. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { listNames } from '../../src/core/discover.ts';
import { COMMANDS_DIR, PACKAGE_ROOT } from '../../src/core/paths.ts';
import type { Manifest } from '../../src/results/manifest.ts';
import { createRun, readRun } from '../../src/results/store.ts';
import { exampleManifest, exampleRecord } from '../results/example.ts';
import { sealbench, type Circumstances } from './_command-line.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealbench-cli-'));
});
after(() => rm(folder, { recursive: true }));

const FAKE: Circumstances = { fakeRunner: true };
const LADDER = ['run', 'curated/ladder'];

/** One clear message on stderr, nothing on stdout, no stack. */
async function refuses(
  args: readonly string[],
  message: RegExp,
  circumstances: Circumstances = FAKE,
): Promise<void> {
  const { status, out, err } = await sealbench(args, circumstances);
  const what = `sealbench ${args.join(' ')}\n${err}`;
  assert.match(err, message, what);
  assert.match(err, /^sealbench: /, what);
  assert.doesNotMatch(err, /\n\s+at |\bError:|bug in sealbench/, what);
  assert.equal(out, '', what);
  assert.equal(status, 2, what);
}

test('every command prints its help with an example, and help names every command', async () => {
  const overview = await sealbench(['--help']);
  assert.equal(overview.status, 0);
  const names = await listNames(COMMANDS_DIR);
  const helps = await Promise.all(names.map((name) => sealbench([name, '--help'], FAKE)));
  for (const [index, name] of names.entries()) {
    const { status, out, err } = helps[index]!;
    assert.match(overview.out, new RegExp(`^  ${name} +\\S`, 'm'));
    assert.equal(status, 0, err);
    assert.match(out, new RegExp(`^Usage: sealbench ${name}`));
    assert.match(out, new RegExp(`Examples?:\\n  sealbench ${name}`));
  }
});

test('the version is that of the package', async () => {
  const manifest = JSON.parse(await readFile(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
    version: string;
  };
  const { status, out } = await sealbench(['--version']);
  assert.deepEqual([status, out], [0, `${manifest.version}\n`]);
});

test('without a command the usage is on stderr and the status is 2', async () => {
  const { status, out, err } = await sealbench([]);
  assert.deepEqual([status, out], [2, '']);
  assert.match(err, /^Usage: sealbench COMMAND/);
});

test('bad command lines are refused', async () => {
  await Promise.all([
    refuses(['rum'], /unknown command "rum"; did you mean run\?/),
    refuses(['--frobnicate'], /unknown option "--frobnicate"; see "sealbench --help"/),
    refuses(['run'], /run: expected SUITE .*, got nothing/),
    refuses([...LADDER, '--budgte', 'quick'], /unknown option --budgte; did you mean --budget/),
    refuses([...LADDER, '--budget', 'endless'], /expected one of quick, standard, thorough/),
    refuses([...LADDER, '--threads', '0'], /--threads expected an integer from 1/),
    refuses([...LADDER, '--repeats', '-3'], /--repeats expected an integer .*, got "-3"/),
    refuses([...LADDER, '--repeats', '1.5'], /--repeats expected an integer from 1/),
    refuses([...LADDER, '--seed=-1'], /--seed expected an integer from 0/),
    refuses([...LADDER, '--out', 'a', '--resume', 'b'], /expected --out or --resume, got both/),
    refuses(['list', 'piplines'], /list: unknown kind "piplines"; did you mean "pipelines"/),
    refuses(['rows', folder, '--format', 'xml'], /--format expected one of json, csv/),
    refuses(['doctor', 'please'], /doctor: takes no arguments, got also "please"/),
    refuses(['explain', 'double-ratchet'], /expected a cell as in .*, found "double-ratchet"/),
    refuses(['explain', 'double-rachet/node/chat/t1'], /did you mean "double-ratchet"/),
    refuses(['explain', 'double-ratchet/nod/chat/t1'], /unknown .*"nod"; did you mean "node"/),
    refuses(['explain', 'double-ratchet/node/chta/t1'], /unknown workload "chta"/),
  ]);
});

test('bad suites, filters and names are refused before anything runs', async () => {
  const torn = join(folder, 'torn.json');
  const mistyped = join(folder, 'mistyped.json');
  await writeFile(torn, '{"name": "torn", ');
  const broken = join(folder, 'broken.ts');
  await writeFile(broken, 'this is no module');
  await writeFile(mistyped, '{"name": "mistyped", "matrx": []}');
  await Promise.all([
    refuses(['run', 'curated/lader'], /unknown suite "curated\/lader"; did you mean/),
    refuses(['run', join(folder, 'none.json')], /none\.json: expected a file, found nothing/),
    refuses(['run', folder], /expected a file, found a directory/),
    refuses(['run', torn], /torn\.json: expected JSON/),
    refuses(['run', mistyped], /unknown key "matrx"; did you mean "matrix"/),
    refuses([...LADDER, '--filter', 'nothing-is-named-so'], /matches none of/),
    refuses([...LADDER, '--filter', '('], /filter: expected a regular expression/),
    refuses(
      [...LADDER, '--provider', 'nativ'],
      /--provider: unknown provider "nativ"; did you mean "native"/,
    ),
    refuses([...LADDER, '--provider', './none.ts'], /found none at "\.\/none\.ts"/),
    refuses([...LADDER, '--pipeline', 'transprt'], /did you mean "transport"/),
    refuses([...LADDER, '--pipeline', 'transport:hop=maybe'], /expected one of on, none/),
    refuses([...LADDER, '--provider', broken], /provider .*broken\.ts does not load/),
    refuses([...LADDER, '--workload', 'chatt'], /unknown workload "chatt"; did you mean "chat"/),
    refuses([...LADDER, '--workload', 'chat:sessions=many'], /expected a number, found "many"/),
  ]);
});

test('bad results are refused', async () => {
  const empty = join(folder, 'empty');
  await mkdir(empty);
  await refuses(['rows', join(folder, 'none')], /expected the folder of a run, found nothing/);
  await refuses(['rows', empty], /manifest\.json: expected a file, found nothing/);
  await refuses([...LADDER, '--resume', empty], /manifest\.json: expected a file, found nothing/);
  await writeFile(join(empty, 'manifest.json'), '{"format": 99}');
  await refuses(['rows', empty], /format: expected 1, found 99/);
  await refuses([...LADDER, '--out', empty], /expected a new or empty folder, found files in it/);
});

test('a folder that cannot hold a run is refused before work starts, with what to do', async () => {
  const file = join(folder, 'a-file');
  await writeFile(file, '');
  const { status, err } = await sealbench([...LADDER, '--out', join(file, 'results')], FAKE);
  assert.equal(status, 2);
  assert.match(err, /^sealbench: .*cannot hold a run: .*choose another folder/m);
});

test('sessions that no memory holds are refused before work starts', async () => {
  const workload = 'chat:sessions=10000000,messages=100000';
  const { status, err } = await sealbench([...LADDER, '--workload', workload], FAKE);
  assert.equal(status, 2);
  assert.match(err, /need about .* GiB of memory.*; about \d+ sessions would fit/);
});

test('list prints tables, and JSON that names the same things', async () => {
  const { status, out } = await sealbench(['list', '--json'], FAKE);
  assert.equal(status, 0);
  type Things = readonly { readonly name: string; readonly reason?: string }[];
  const listed = JSON.parse(out) as Record<string, Things | Record<string, Things>>;
  assert.deepEqual(Object.keys(listed), [
    'suites',
    'pipelines',
    'providers',
    'primitives',
    'workloads',
    'metrics',
  ]);
  const table = await sealbench(['list'], FAKE);
  assert.equal(table.status, 0);
  for (const [kind, things] of Object.entries(listed)) {
    // Of primitives there are operations and implementations.
    for (const { name, reason } of Object.values(things).flat()) {
      assert.ok(table.out.includes(name), name);
      if (kind === 'suites') assert.equal(reason, undefined, `${name}: ${reason}`);
    }
  }
});

test('rows prints what is stored, as JSON and as CSV', async () => {
  const directory = join(folder, 'rows');
  const manifest = exampleManifest();
  const run = createRun(directory, manifest);
  run.append(exampleRecord({ status: 'unavailable', reason: 'not installed' }));
  const json = await sealbench(['rows', directory], FAKE);
  const rows = JSON.parse(json.out) as { cell: string; status: string; reason: string }[];
  assert.deepEqual(
    rows.map(({ cell, status }) => [cell, status]),
    [
      [manifest.cells[0], 'unavailable'],
      [manifest.cells[1], 'invalid'],
    ],
  );
  const csv = await sealbench(['rows', directory, '--format', 'csv'], FAKE);
  assert.equal(csv.status, 0);
  assert.match(csv.out, /^run,suite,cell,/);
  assert.match(csv.out, /,not installed\r\n/);
});

test('a run keeps its records and prints figures, or rows with --json', async () => {
  const directory = join(folder, 'run');
  const { status, out, err } = await sealbench([...LADDER, '--out', directory, '--json'], FAKE);
  assert.equal(status, 0, err);
  const { rows } = JSON.parse(out) as { rows: { metric: string }[] };
  assert.ok(rows.some(({ metric }) => metric === 'cpu-per-message'));
  assert.ok(rows.some(({ metric }) => metric === 'harness-overhead'));
  const { manifest, records } = await readRun(directory);
  assert.equal(records.length, manifest.cells.length * 3);
  assert.notEqual(manifest.endedAt, null);
  assert.equal(manifest.interrupted, false);
  assert.match(err, /raw results: .*run/);
});

test('a failed cell is status 3, and an unavailable one is tried once and fine', async () => {
  const args = [...LADDER, '--filter', '/(plaintext|transport)/', '--out'];
  const failed = join(folder, 'failed');
  const first = await sealbench([...args, failed], {
    ...FAKE,
    env: { FAKE_STATUSES: '{"transport": "error"}' },
  });
  assert.equal(first.status, 3);
  assert.match(first.out, /error: made up to be error/);
  assert.match(first.err, /error: made up to be error/);

  const unavailable = join(folder, 'unavailable');
  const second = await sealbench([...args, unavailable], {
    ...FAKE,
    env: { FAKE_STATUSES: '{"transport": "unavailable"}' },
  });
  assert.equal(second.status, 0);
  const { records } = await readRun(unavailable);
  assert.equal(records.filter((record) => record.status === 'unavailable').length, 1);
  assert.equal(records.filter((record) => record.status === 'ok').length, 3);

  const invalid = await sealbench([...args, join(folder, 'invalid')], {
    ...FAKE,
    env: { FAKE_STATUSES: '{"transport": "invalid"}' },
  });
  assert.equal(invalid.status, 4);
});

test('verify tells every cell apart and fails when one does', async () => {
  const fine = await sealbench(['verify', '--filter', '/null/', '--json'], FAKE);
  assert.equal(fine.status, 0, fine.err);
  const outcomes = JSON.parse(fine.out) as { cell: string; status: string }[];
  assert.ok(outcomes.length > 1);
  assert.ok(outcomes.every(({ status }) => status === 'ok'));

  const env = { FAKE_STATUSES: '{"transport": "error"}' };
  const wrong = await sealbench(['verify', '--filter', '/null/'], { ...FAKE, env });
  assert.equal(wrong.status, 3);
  assert.match(wrong.out, /transport\/null\S* +error .*made up to be error/);
});

test('explain shows calls, frames and stages of one cell', async () => {
  const { status, out, err } = await sealbench(
    ['explain', 'ladder/double-ratchet/node/chat/t1', '--json'],
    FAKE,
  );
  assert.equal(status, 0, err);
  const { primitives, stages } = JSON.parse(out) as {
    primitives: unknown[];
    stages: { share: number }[];
  };
  assert.deepEqual(primitives, [
    { stage: 'send', primitive: 'sha256', callsPerMessage: 2, bytesPerCall: 32 },
  ]);
  const shares = stages.map(({ share }) => share);
  assert.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-9);
});

for (const [signal, expected] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} during a run keeps what is finished, and --resume goes on`, async () => {
    const directory = join(folder, signal);
    const args = [...LADDER, '--out', directory];
    const interrupted = await sealbench(args, {
      ...FAKE,
      env: { FAKE_REPEAT_MS: '800' },
      onNote: (err) => (/^1\/\d+ /m.test(err) ? signal : undefined),
    });
    assert.equal(interrupted.status, expected, interrupted.err);
    const { manifest, records } = await readRun(directory);
    assert.ok(records.length >= 1 && records.length < manifest.cells.length * 3);
    assert.ok(records.every(({ status }) => status === 'ok'));
    assert.equal(manifest.interrupted, true);
    assert.match(interrupted.err, /to go on: sealbench run curated\/ladder --resume /);

    await refuses([...LADDER, '--resume', directory, '--seed', '99'], /the seed changed since/);
    await refuses([...LADDER, '--resume', directory, '--filter', 'plain'], /the cells changed/);
    await refuseChanged(directory);
    const resumed = await sealbench([...LADDER, '--resume', directory], FAKE);
    assert.equal(resumed.status, 0, resumed.err);
    const whole = await readRun(directory);
    assert.equal(whole.records.length, manifest.cells.length * 3);
    assert.equal(whole.manifest.interrupted, false);
  });
}

/** What another machine, Node, library, suite or code would have written into the manifest. */
const CHANGES: readonly (readonly [change: (manifest: Manifest) => Manifest, named: RegExp])[] = [
  [
    (manifest) => ({
      ...manifest,
      environment: { ...manifest.environment, cpuModel: 'Another', memoryBytes: 1 },
    }),
    /environment\.cpuModel is Another in the run and .* now; go on there, or start a run of its own/,
  ],
  [
    (manifest) => ({ ...manifest, environment: { ...manifest.environment, node: '24.12.0' } }),
    /environment\.node is 24\.12\.0 in the run and [\d.]+ now; /,
  ],
  [
    (manifest) => ({
      ...manifest,
      environment: { ...manifest.environment, packages: {} },
    }),
    /environment\.packages\.\S+ is none in the run and \S+ now, .*, and \d+ more fields differ; /,
  ],
  [
    (manifest) => ({ ...manifest, suite: { ...manifest.suite, digest: 'a'.repeat(64) } }),
    /suite\.digest is aaaaaaaaaaaa\.\.\. in the run and [0-9a-f]{12}\.\.\. now; /,
  ],
  [
    (manifest) => ({ ...manifest, codeDigest: 'b'.repeat(64) }),
    /codeDigest is bbbbbbbbbbbb\.\.\. in the run and .* it was started by: sealbench run/,
  ],
];

/** A run is gone on with only where it was started; memory may differ by some pages. */
async function refuseChanged(directory: string): Promise<void> {
  const file = join(directory, 'manifest.json');
  const original = await readFile(file, 'utf8');
  for (const [change, named] of CHANGES) {
    await writeFile(file, JSON.stringify(change(JSON.parse(original) as Manifest)));
    await refuses([...LADDER, '--resume', directory], named);
  }
  const manifest = JSON.parse(original) as Manifest;
  const { environment } = manifest;
  const memoryBytes = environment.memoryBytes - 4_096;
  await writeFile(
    file,
    JSON.stringify({ ...manifest, environment: { ...environment, memoryBytes } }),
  );
}

/** The folder of a run of one cell that could not run. */
function makeRun(name: string, change: Partial<Manifest> = {}): string {
  const run = createRun(join(folder, name), exampleManifest(change));
  run.append(exampleRecord({ status: 'unavailable', reason: 'not installed' }));
  return run.directory;
}

test('rows of several runs are put together only where machine, software and work agree', async () => {
  const first = exampleManifest();
  const one = makeRun('with-one');
  const two = makeRun('with-two', { startedAt: '2026-02-01T00:00:00.000Z', seed: 8 });
  const both = await sealbench(['rows', one, '--with', two, '--format', 'csv'], FAKE);
  assert.equal(both.status, 0, both.err);
  const runs = both.out.split('\r\n').map((line) => line.split(',')[0]);
  assert.deepEqual(
    [...new Set(runs)],
    ['run', '20260131T123456Z-0123456', '20260201T000000Z-0123456', ''],
  );

  const environment = { ...first.environment, node: '24.12.0' };
  const other = makeRun('with-other', { environment, codeDigest: 'c'.repeat(64) });
  await refuses(
    ['rows', one, '--with', two, '--with', other],
    /with-other: expected the same machine, software, suite and code as .*with-one, but environment\.node is 26\.0\.0 in the first and 24\.12\.0 here, codeDigest is bbbbbbbbbbbb\.\.\. in the first and cccccccccccc\.\.\. here; measure both again/,
  );
});

test('a run that tells nothing apart is status 4, and says why in its first lines', async () => {
  const directory = join(folder, 'too-noisy');
  const args = [...LADDER, '--filter', 'plaintext|double', '--out', directory];
  const { status, out } = await sealbench(args, { ...FAKE, env: { FAKE_NOISE: '3' } });
  assert.equal(status, 4);
  assert.match(
    out.split('\n').slice(0, 8).join('\n'),
    /^Verdict: too noisy\. .* 0 of 1 pair of cells/m,
  );
});

test('a user file stands in for the providers of a suite', async () => {
  const file = join(folder, 'mine.ts');
  await writeFile(file, "export default { name: 'mine' };\n");
  const { status, err } = await sealbench(
    ['verify', '--provider', './mine.ts', '--filter', 'transport'],
    { ...FAKE, cwd: folder },
  );
  assert.equal(status, 0, err);
  assert.match(err, /ok all\/transport\/mine\.ts\//);
});

test('a reader that goes away is no error', async () => {
  const { promise, resolve } = Promise.withResolvers<{ status: number | null; err: string }>();
  const main = join(PACKAGE_ROOT, 'src', 'cli', 'main.ts');
  const child = spawn(process.execPath, [main, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  child.on('close', (status) => {
    resolve({ status, err });
  });
  assert.deepEqual(await promise, { status: 0, err: '' });
});

test('the launcher passes arguments and exit status on', async () => {
  const launcher = { entry: 'bin.js' };
  const version = await sealbench(['--version'], launcher);
  assert.equal(version.status, 0);
  assert.match(version.out, /^\d+\.\d+\.\d+\n$/);
  await refuses(['rum'], /unknown command "rum"/, launcher);
});

test('the launcher starts the pinned Node when another one runs it', async () => {
  // A copy of the launcher in a package whose pinned Node is a script.
  const root = join(folder, 'package');
  await mkdir(join(root, 'src', 'cli'), { recursive: true });
  await mkdir(join(root, 'node_modules', 'node', 'bin'), { recursive: true });
  await writeFile(join(root, 'package.json'), '{"type": "module"}');
  const launcher = await readFile(join(PACKAGE_ROOT, 'src', 'cli', 'bin.js'));
  await writeFile(join(root, 'src', 'cli', 'bin.js'), launcher);
  const pinned = join(root, 'node_modules', 'node', 'bin', 'node');
  await writeFile(pinned, '#!/bin/sh\necho "pinned $2"\nexit 4\n');
  await chmod(pinned, 0o755);

  const { promise, resolve } = Promise.withResolvers<{ status: number | null; out: string }>();
  const child = spawn(process.execPath, [join(root, 'src', 'cli', 'bin.js'), 'list']);
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.on('close', (status) => {
    resolve({ status, out });
  });
  assert.deepEqual(await promise, { status: 4, out: 'pinned list\n' });
});
