import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readRun } from '../../src/results/store.ts';
import { sealbench } from './_command-line.ts';

const folder = await mkdtemp(join(tmpdir(), 'sealbench-trace-'));
after(() => rm(folder, { recursive: true, force: true }));

const trace = join(folder, 'trace.ndjson');
const lines = Array.from({ length: 30 }, (_, at) =>
  JSON.stringify({
    time: 1_000 * at,
    session: `s${at % 4}`,
    sender: at % 3 === 0 ? 'ann' : `of ${at % 4}`,
    bytes: 10 + at,
  }),
);
await writeFile(trace, `${lines.join('\n')}\n\n`);

const suite = join(folder, 'traced.json');
await writeFile(
  suite,
  JSON.stringify({
    name: 'traced',
    title: 'Traced',
    question: 'Does it come out?',
    analysis: [],
    matrix: [
      {
        pipelines: ['double-ratchet'],
        implementations: ['native'],
        workloads: ['chat'],
        threads: [2],
      },
    ],
  }),
);

test('a trace becomes a workload that is carried, by its moments where it is told so', async () => {
  const out = join(folder, 'office.json');
  const imported = await sealbench(['import-trace', trace, '--out', out, '--speed', '1000']);
  assert.equal(imported.status, 0, imported.err);
  assert.match(imported.err, /30 messages in 4 sessions/);
  assert.ok(imported.err.includes(` --workload ${out}\n`), imported.err);
  const written = await readFile(out, 'utf8');
  assert.doesNotMatch(written, /ann|"s0"/);

  const directory = join(folder, 'run');
  const args = ['run', suite, '--workload', out, '--repeats', '1', '--out', directory];
  const run = await sealbench(args);
  assert.ok(run.status === 0 || run.status === 4, run.err);
  const { records } = await readRun(directory);
  const [record] = records;
  assert.equal(record!.shards.length, 2);
  const sum = (of: (shard: NonNullable<typeof record>['shards'][number]) => number): number =>
    record!.shards.reduce((total, shard) => total + of(shard), 0);
  assert.equal(
    sum(({ messages }) => messages.delivered),
    30,
  );
  assert.equal(
    sum(({ plaintextBytes }) => plaintextBytes),
    lines.length * 10 + (29 * 30) / 2,
  );
  assert.equal(
    sum(({ open }) => open!.messages),
    26,
  );
  // The last message came 29 s after the first, a thousand times as fast.
  assert.equal(Math.max(...record!.shards.map(({ open }) => open!.scheduledNs)), 29e6);

  const before = (await readdir(folder)).sort();
  const again = await sealbench(['import-trace', trace, '--out', out]);
  assert.equal(again.status, 3);
  assert.match(again.err, /office\.json could not be written: there is a file of that name/);
  assert.equal(await readFile(out, 'utf8'), written);
  assert.deepEqual((await readdir(folder)).sort(), before);
  const options = await sealbench(['verify', suite, '--workload', `${out}:sessions=3`]);
  assert.equal(options.status, 2);
  assert.match(options.err, /sessions: expected 4, as in the trace, found 3/);
});

test('what cannot be imported is refused with the line and what to do', async () => {
  const bad = join(folder, 'bad.ndjson');
  const out = join(folder, 'never.json');
  await writeFile(bad, `${lines[0]}\n${lines[1]!.replace('}', ',"body":"hello"}')}\n`);
  const content = await sealbench(['import-trace', bad, '--out', out]);
  assert.equal(content.status, 2);
  assert.match(content.err, /bad\.ndjson:2: unknown field "body"; a trace is metadata only/);
  assert.doesNotMatch(content.err, /hello/);
  await writeFile(bad, `${lines[0]}\n{"time":${'1'.repeat(5_000)}}\n`);
  const long = await sealbench(['import-trace', bad, '--out', out]);
  assert.match(long.err, /bad\.ndjson:2: expected at most 4096 bytes in a line/);
  const nothing = await sealbench(['import-trace', join(folder, 'none'), '--out', out]);
  assert.equal(nothing.status, 2);
  assert.match(nothing.err, /none: expected a file, found nothing/);
  const unnamed = await sealbench(['import-trace', trace]);
  assert.match(unnamed.err, /expected --out WORKLOAD/);
});

test('the file is named as it was given, so that it is found from where it was asked for', async () => {
  const cwd = join(folder, 'here');
  await mkdir(join(cwd, 'data'), { recursive: true });
  const imported = async (out: string): Promise<string> => {
    const { status, err } = await sealbench(['import-trace', trace, '--out', out], { cwd });
    assert.equal(status, 0, err);
    return /to carry them: .* --workload (.*)\n/.exec(err)![1]!;
  };
  assert.equal(await imported('plain.json'), './plain.json');
  assert.equal(await imported('./dotted.json'), './dotted.json');
  assert.equal(await imported('data/office.json'), 'data/office.json');
  assert.deepEqual((await readdir(cwd)).sort(), ['data', 'dotted.json', 'plain.json']);
  assert.deepEqual(await readdir(join(cwd, 'data')), ['office.json']);
});

test('a file that cannot be written is refused with what to do, and nothing is left of it', async () => {
  const missing = join(folder, 'missing');
  const before = (await readdir(folder)).sort();
  const into = async (out: string): Promise<string> => {
    const { status, err } = await sealbench(['import-trace', trace, '--out', out]);
    assert.equal(status, 3, err);
    assert.doesNotMatch(err, /This is a bug/);
    return err;
  };
  assert.match(
    await into(join(missing, 'office.json')),
    /office\.json could not be written: there is no such folder; make it or choose another\n$/,
  );
  assert.match(
    await into(join(trace, 'office.json')),
    /office\.json could not be written: a part of the path is a file; choose another folder\n$/,
  );
  assert.deepEqual((await readdir(folder)).sort(), before);
});
