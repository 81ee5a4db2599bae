import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import {
  chmod,
  mkdir,
  mkdtemp,
  open,
  readFile,
  readdir,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import test, { after } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Manifest } from '../../src/results/manifest.ts';
import { repeatRecord, type RepeatRecord } from '../../src/results/record.ts';
import { createRun, readRun, repeatKey, resumeRun, type Run } from '../../src/results/store.ts';
import { exampleManifest, exampleRecord, OTHER_CELL } from './example.ts';

const root = await mkdtemp(join(tmpdir(), 'sealbench-results-'));
after(() => rm(root, { recursive: true }));

let folders = 0;
function newFolder(): string {
  folders += 1;
  return join(root, `run-${folders}`);
}

function newRun(manifest: Manifest = exampleManifest()): Run {
  return createRun(newFolder(), manifest);
}

/** A run whose cells.ndjson holds just this text. */
async function runOf(text: string | Uint8Array): Promise<string> {
  const { directory } = newRun();
  await writeFile(join(directory, 'cells.ndjson'), text);
  return directory;
}

function lineOf(change: Partial<Record<keyof RepeatRecord, unknown>>): string {
  return `${JSON.stringify({ ...exampleRecord(), ...change })}\n`;
}

async function refused(directory: string, ...patterns: RegExp[]): Promise<void> {
  await assert.rejects(readRun(directory), (error: Error & { code?: unknown }) => {
    assert.equal(error.code, 'BAD_INPUT', error.message);
    for (const pattern of patterns) assert.match(error.message, pattern);
    return true;
  });
}

void test('what is written is read back', async () => {
  const run = newRun();
  const records = [
    exampleRecord(),
    exampleRecord({ cell: OTHER_CELL, status: 'unsupported', reason: 'no AES: "ä"\n' }),
  ];
  for (const record of records) run.append(record);
  run.finish({ endedAt: '2026-01-31T13:00:00.000Z', calibration: { ns: 3 } });
  const read = await readRun(run.directory);
  assert.deepEqual(read.records, records);
  assert.deepEqual(read.manifest, {
    ...exampleManifest(),
    endedAt: '2026-01-31T13:00:00.000Z',
    calibration: { ns: 3 },
  });
  assert.deepEqual(read.warnings, []);
  assert.deepEqual((await readdir(run.directory)).sort(), ['cells.ndjson', 'manifest.json']);
});

void test('each line is on disk as soon as it is appended', async () => {
  const run = newRun();
  for (let repeat = 0; repeat < 3; repeat++) {
    run.append(exampleRecord({ repeat }));
    assert.equal((await readRun(run.directory)).records.length, repeat + 1);
  }
});

void test('an empty run is fine', async () => {
  assert.deepEqual((await readRun(newRun().directory)).records, []);
});

void test('runs without a folder of their own get the next free one', async () => {
  // A year in which nobody measures; removed again.
  const manifest = exampleManifest({ startedAt: '1999-12-31T23:59:58.123Z' });
  const runs = [createRun(undefined, manifest), createRun(undefined, manifest)];
  const without = createRun(undefined, { ...manifest, git: null });
  const names = [...runs, without].map(({ directory }) => basename(directory));
  for (const { directory } of [...runs, without]) await rm(directory, { recursive: true });
  assert.deepEqual(names, [
    '19991231T235958Z-0123456',
    '19991231T235958Z-0123456-2',
    '19991231T235958Z-nogit',
  ]);
});

void test('a folder that holds anything is never written into', async () => {
  const { directory } = newRun();
  const before = await readFile(join(directory, 'manifest.json'), 'utf8');
  assert.throws(() => createRun(directory, exampleManifest({ seed: 8 })), {
    code: 'BAD_INPUT',
    message: /expected a new or empty folder/,
  });
  assert.equal(await readFile(join(directory, 'manifest.json'), 'utf8'), before);
  const empty = newFolder();
  await mkdir(empty);
  assert.equal(createRun(empty, exampleManifest()).directory, empty);
});

void test('a folder that cannot be made is refused before work starts', async () => {
  const file = join(newRun().directory, 'manifest.json');
  assert.throws(() => createRun(join(file, 'below'), exampleManifest()), {
    code: 'BAD_INPUT',
    message: /cannot hold a run: a part of the path is a file/,
  });
  assert.throws(() => createRun('/proc/none/below', exampleManifest()), { code: 'BAD_INPUT' });
});

void test(
  'a full disk is told, and what was written before stays valid',
  { skip: !existsSync('/dev/full') },
  async () => {
    const run = newRun();
    run.append(exampleRecord());
    const file = join(run.directory, 'cells.ndjson');
    const before = await readFile(file);
    await rm(file);
    await symlink('/dev/full', file);
    const full = { code: 'NOT_WRITTEN', message: /cells\.ndjson could not .*the disk is full/ };
    assert.throws(() => run.append(exampleRecord({ repeat: 1 })), full);
    await rm(file);
    await writeFile(file, before);
    // Nothing may follow a line that may be torn.
    assert.throws(() => run.append(exampleRecord({ repeat: 1 })), full);
    assert.equal((await readRun(run.directory)).records.length, 1);
  },
);

void test(
  'a folder without permission to write is told',
  { skip: process.getuid?.() === 0 && 'the superuser may write everywhere' },
  async () => {
    const run = newRun();
    await chmod(run.directory, 0o500);
    assert.throws(() => run.finish({ interrupted: true }), {
      code: 'NOT_WRITTEN',
      message: /its permissions forbid it/,
    });
    await chmod(run.directory, 0o700);
  },
);

void test('a folder that vanishes during a run is told', async () => {
  const run = newRun();
  await rm(run.directory, { recursive: true });
  assert.throws(() => run.append(exampleRecord()), {
    code: 'NOT_WRITTEN',
    message: /the folder is gone/,
  });
});

void test('what readers would refuse is not written', async () => {
  const run = newRun();
  const bad: Partial<RepeatRecord>[] = [
    { threads: 0 },
    { seed: Number.NaN },
    { cell: 'mine/unplanned/null/chat/t1' },
  ];
  for (const change of bad) {
    assert.throws(() => run.append(exampleRecord(change)), TypeError);
  }
  assert.throws(() => run.finish({ endedAt: 'yesterday' }), TypeError);
  assert.deepEqual((await readRun(run.directory)).records, []);
});

void test('a torn last line is ignored and said so, wherever it is torn', async () => {
  const torn = lineOf({ repeat: 1, reason: 'ä' });
  const bytes = new TextEncoder().encode(torn);
  for (let length = 1; length < bytes.length; length += 7) {
    const text = Buffer.concat([Buffer.from(lineOf({})), bytes.subarray(0, length)]);
    const { records, warnings } = await readRun(await runOf(text));
    assert.equal(records.length, 1);
    assert.match(warnings.join(), /cells\.ndjson:2: the last line is torn and was ignored/);
  }
});

void test('resuming cuts off a torn line, keeps the rest and goes on', async () => {
  const directory = await runOf(
    lineOf({}) + lineOf({ cell: OTHER_CELL, status: 'error', reason: 'x' }) + '{"format":1,"ce',
  );
  const { run, finished, warnings } = await resumeRun(directory);
  assert.deepEqual([...finished], [repeatKey(exampleRecord().cell, 0)]);
  assert.equal(warnings.length, 1);
  run.append(exampleRecord({ cell: OTHER_CELL }));
  const read = await readRun(directory);
  assert.deepEqual(
    read.records.map(({ cell, status }) => [cell, status]),
    [
      [exampleRecord().cell, 'ok'],
      [OTHER_CELL, 'ok'],
    ],
  );
  assert.match(read.warnings.join(), /1 repeat that was not ok and run again/);
});

void test('every corrupt line is refused with its number, path and what was expected', async () => {
  await refused(
    await runOf(
      [
        lineOf({}),
        'not json\n',
        '\n',
        '[]\n',
        lineOf({ threads: -1 }),
        lineOf({ status: 'okay' }),
        lineOf({ repeat: 1, shards: [{}] }),
        lineOf({ format: 2 }),
        lineOf({ format: '1' }),
        lineOf({ cell: '<script>' }),
      ].join(''),
    ),
    /cells\.ndjson:2: expected JSON, found a mistake/,
    /cells\.ndjson:3: expected JSON, found nothing/,
    /cells\.ndjson:4: format: expected 1, found nothing/,
    /cells\.ndjson:5: threads: expected at least 1|cells\.ndjson:5: threads: .*found -1/,
    /cells\.ndjson:6: status: expected one of ok, error.*, found "okay"; did you mean "ok"\?/,
    /cells\.ndjson:7: \d+ problems\n {2}shards\[0\]\.shard: expected a number, found nothing/,
    /cells\.ndjson:8: format: expected 1, found 2; a newer version of sealbench wrote it/,
    /cells\.ndjson:9: format: expected 1, found "1"/,
    /cells\.ndjson:10: cell: expected one of the cells in manifest\.json, found "<script>"/,
  );
});

void test('a file of corrupt lines is given up after ten', async () => {
  await assert.rejects(readRun(await runOf('x\n'.repeat(10_000))), (error: Error) => {
    assert.equal(error.message.split('\n').length, 10);
    return true;
  });
});

void test('a repeat that is there twice is refused with both lines', async () => {
  await refused(
    await runOf(lineOf({}) + lineOf({ repeat: 1 }) + lineOf({})),
    /cells\.ndjson:3: expected each repeat once, .* also at line 1/,
  );
});

void test('a line without end is refused before memory is', async () => {
  const directory = await runOf('');
  const file = await open(join(directory, 'cells.ndjson'), 'w');
  await file.truncate(67_108_865); // Sparse.
  await file.close();
  await refused(directory, /cells\.ndjson:1: expected at most 67108864 bytes in a line/);
});

void test('bytes that are no text are refused', async () => {
  await refused(await runOf(new Uint8Array([0xff, 0xfe, 0x0a])), /:1: expected JSON/);
  await refused(await runOf('\ufeff[]\n'), /:1: expected JSON/);
});

void test('what is no folder of a run is refused', async () => {
  await refused(newFolder(), /expected the folder of a run, found nothing/);
  const { directory } = newRun();
  await refused(join(directory, 'manifest.json'), /expected the folder of a run, found a file/);
  const empty = newFolder();
  await mkdir(empty);
  await refused(empty, /manifest\.json: expected a file, found nothing/);
  await rm(join(directory, 'cells.ndjson'));
  await refused(directory, /cells\.ndjson: expected a file, found nothing/);
  await mkdir(join(directory, 'cells.ndjson'));
  await refused(directory, /cells\.ndjson: expected a file, found a directory/);
});

void test('a manifest that cannot be used is refused', async () => {
  const { directory } = newRun();
  const file = join(directory, 'manifest.json');
  const refusedWith = async (content: unknown, pattern: RegExp): Promise<void> => {
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
    await refused(directory, pattern);
  };
  const good = exampleManifest();
  await refusedWith('', /manifest\.json: expected JSON, found nothing/);
  await refusedWith('{', /expected JSON/);
  await refusedWith('null', /format: expected 1, found nothing/);
  await refusedWith({ ...good, format: 0 }, /found 0; an older version of sealbench wrote it/);
  await refusedWith({ ...good, format: 99, suite: 1 }, /found 99; a newer version/);
  await refusedWith({ ...good, codeDigest: 'zz' }, /codeDigest: expected a SHA-256 digest/);
  await refusedWith({ ...good, startedAt: 'now' }, /startedAt: expected a time in UTC/);
  await refusedWith({ ...good, sede: 1 }, /unknown key "sede"; did you mean "seed"\?/);
  await refusedWith(
    { ...good, cells: ['mine/<img src=x>/null/chat/t1'] },
    /cells\[0\]: expected a cell name/,
  );
});

void test('the example of these tests is a valid record', () => {
  assert.deepEqual(repeatRecord.parse(exampleRecord()), exampleRecord());
});

/** A run whose cells.ndjson is kept as these compressed bytes. */
async function compressedRun(bytes: Uint8Array): Promise<string> {
  const directory = await runOf('');
  await rm(join(directory, 'cells.ndjson'));
  await writeFile(join(directory, 'cells.ndjson.gz'), bytes);
  return directory;
}

void test('a run that is kept compressed is read like another', async () => {
  const text = lineOf({}) + lineOf({ repeat: 1 });
  const { records, warnings } = await readRun(await compressedRun(gzipSync(text)));
  assert.deepEqual(records, [exampleRecord(), exampleRecord({ repeat: 1 })]);
  assert.deepEqual(warnings, []);
  // Two files in one, as appending to a gzip file makes it.
  const joined = Buffer.concat([gzipSync(lineOf({})), gzipSync(lineOf({ repeat: 1 }))]);
  assert.equal((await readRun(await compressedRun(joined))).records.length, 2);
});

void test('cells.ndjson is read where there are both', async () => {
  const directory = await runOf(lineOf({}));
  await writeFile(join(directory, 'cells.ndjson.gz'), gzipSync(lineOf({}) + lineOf({ repeat: 1 })));
  assert.equal((await readRun(directory)).records.length, 1);
});

void test('a compressed run that is not gzip, or ends early, is refused', async () => {
  const whole = gzipSync(lineOf({}));
  await refused(
    await compressedRun(Buffer.from('{"format": 1}\n')),
    /cells\.ndjson\.gz: expected a gzip file, found other bytes$/,
  );
  await refused(
    await compressedRun(whole.subarray(0, -12)),
    /cells\.ndjson\.gz: expected a gzip file, found an early end$/,
  );
  await refused(
    await compressedRun(gzipSync('{"format": 99}\n')),
    /cells\.ndjson\.gz:1: format: expected 1, found 99/,
  );
  const torn = await compressedRun(gzipSync(lineOf({}) + '{"format"'));
  assert.match((await readRun(torn)).warnings[0]!, /cells\.ndjson\.gz:2: the last line is torn/);
});

void test('the limit on a line holds for what is unpacked', async () => {
  // 80 MB of spaces in 78 kB.
  const bomb = gzipSync(Buffer.alloc(80_000_000, ' '));
  assert.ok(bomb.length < 200_000);
  await refused(
    await compressedRun(bomb),
    /cells\.ndjson\.gz:1: expected at most 67108864 bytes in a line/,
  );
});

void test('a compressed run is not gone on with', async () => {
  const directory = await compressedRun(gzipSync(lineOf({})));
  await assert.rejects(resumeRun(directory), {
    code: 'BAD_INPUT',
    message: /kept for good; start a new one/,
  });
});
