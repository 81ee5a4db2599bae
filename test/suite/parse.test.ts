import assert from 'node:assert/strict';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { canonicalJson } from '../../src/core/json.ts';
import { SUITES_DIR } from '../../src/core/paths.ts';
import { loadAnySuite } from '../../src/suite/operations.ts';
import {
  listSuites,
  listWorkloads,
  loadSuite,
  loadWorkload,
  nameByPlace,
  type KnownNames,
  type LoadedSuite,
} from '../../src/suite/parse.ts';

const folder = await mkdtemp(join(tmpdir(), 'sealbench-suite-'));
after(() => rm(folder, { recursive: true }));

const known: KnownNames = {
  pipelines: ['plaintext', 'transport', 'double-ratchet', 'escrow-chain-key'],
  providers: ['null', 'node', 'native', 'noble', 'libsodium'],
};

const group = {
  pipelines: ['plaintext', 'double-ratchet:hop=none'],
  implementations: ['native'],
  workloads: ['chat:sessions=4'],
  threads: [1],
};
const good = {
  name: 'mine',
  title: 'A title',
  question: 'A question?',
  analysis: [],
  matrix: [group],
  baseline: 'double-ratchet:hop=none',
};

let files = 0;
async function fileOf(content: string | Uint8Array): Promise<string> {
  files += 1;
  const file = join(folder, `suite-${files}.json`);
  await writeFile(file, content);
  return file;
}

async function load(suite: unknown): Promise<LoadedSuite> {
  return loadSuite(await fileOf(JSON.stringify(suite)), known);
}

async function refused(suite: unknown, ...patterns: RegExp[]): Promise<void> {
  await assert.rejects(load(suite), (error: Error & { code?: unknown }) => {
    assert.equal(error.code, 'BAD_INPUT', error.message);
    assert.match(error.message, /suite-\d+\.json/);
    for (const pattern of patterns) assert.match(error.message, pattern);
    return true;
  });
}

void test('every committed suite loads', async () => {
  const suites = await listSuites();
  assert.ok(suites.includes('curated/ladder') && suites.includes('verify/all'));
  for (const name of suites) {
    const { suite, digest } = await loadAnySuite(name);
    assert.equal(suite.name, name);
    assert.match(digest, /^[0-9a-f]{64}$/);
  }
});

void test('every committed workload loads', async () => {
  for (const name of await listWorkloads()) {
    const { workload, segment } = await loadWorkload(name);
    assert.deepEqual([workload.name, segment], [name, name]);
  }
});

void test('a suite is found by name, by path and under its proper name only', async () => {
  const byName = await loadSuite('curated/ladder');
  const byPath = await loadSuite(join(SUITES_DIR, 'curated', 'ladder.json'));
  assert.deepEqual(byPath, byName);
  await assert.rejects(loadSuite('curated/lader', known), {
    code: 'BAD_INPUT',
    message: 'unknown suite "curated/lader"; did you mean "curated/ladder"?',
  });
  await assert.rejects(loadSuite('workloads/chat', known), { code: 'BAD_INPUT' });
  await assert.rejects(loadSuite(join(SUITES_DIR, 'workloads', 'chat.json'), known), {
    code: 'BAD_INPUT',
  });
});

void test('a file under suites/ has the name of its place, others have any', async () => {
  assert.equal(nameByPlace(join(SUITES_DIR, 'a', 'b.json')), 'a/b');
  assert.equal(nameByPlace(join(folder, 'b.json')), undefined);
  const misplaced = join(SUITES_DIR, 'curated', `misplaced-${process.pid}.json`);
  await writeFile(misplaced, JSON.stringify(good));
  try {
    await assert.rejects(loadSuite(misplaced, known), {
      code: 'BAD_INPUT',
      message: /name: expected "curated\/misplaced-\d+", as its place says, found "mine"/,
    });
  } finally {
    await rm(misplaced);
  }
});

void test('a byte order mark is ignored', async () => {
  const { suite } = await loadSuite(await fileOf(`\ufeff${JSON.stringify(good)}`), known);
  assert.equal(suite.name, 'mine');
});

void test('the digest depends on the meaning of suite and workloads, not on the writing', async () => {
  const { digest } = await load(good);
  const turned = Object.fromEntries(Object.entries(good).toReversed());
  const spaced = JSON.stringify({ $schema: './x.json', ...turned }, undefined, 7);
  assert.equal((await loadSuite(await fileOf(spaced), known)).digest, digest);
  assert.notEqual((await load({ ...good, warmupMs: 1 })).digest, digest);
  const other = { ...group, workloads: ['chat:sessions=5'] };
  assert.notEqual((await load({ ...good, matrix: [other] })).digest, digest);
});

void test('what is no suite at all is refused in words', async () => {
  const refusedFile = async (content: string | Uint8Array, pattern: RegExp): Promise<void> => {
    const file = await fileOf(content);
    await assert.rejects(loadSuite(file, known), { code: 'BAD_INPUT', message: pattern });
  };
  await refusedFile('', /expected JSON, found nothing/);
  await refusedFile('{', /expected JSON/);
  await refusedFile('{"name": "mine",}', /a mistake at line 1 column 17/);
  await refusedFile('[]', /expected an object, found a list of 0/);
  await refusedFile('null', /expected an object, found null/);
  await refusedFile(new Uint8Array([0xff, 0xfe, 0x7b, 0]), /expected UTF-8/);
  await refusedFile(' '.repeat(1_048_577), /expected at most 1048576 bytes, found 1048577/);
  await refusedFile(`${'[1,'.repeat(70)}1${']'.repeat(70)}`, /64 levels/);
  await assert.rejects(loadSuite(folder, known), {
    code: 'BAD_INPUT',
    message: /expected a file, found a directory/,
  });
  await assert.rejects(loadSuite(join(folder, 'none.json'), known), {
    code: 'BAD_INPUT',
    message: /expected a file, found nothing/,
  });
  await assert.rejects(loadSuite('./a\0b.json', known), {
    code: 'BAD_INPUT',
    message: /a\\u\{0000\}b/,
  });
  await assert.rejects(loadSuite('/dev/zero', known), {
    code: 'BAD_INPUT',
    message: /expected a regular file/,
  });
});

void test('a typo in a key is recognised', async () => {
  await refused({ ...good, basline: 'plaintext' }, /unknown key "basline"; .*"baseline"/);
  const { threads, ...rest } = group;
  await refused(
    { ...good, matrix: [{ ...rest, thread: threads }] },
    /matrix\[0\]\.threads: expected a list, found nothing/,
    /matrix\[0\]: unknown key "thread"; did you mean "threads"\?/,
  );
});

void test('numbers outside their bounds are refused', async () => {
  const matrix = (change: object): object => ({ ...good, matrix: [{ ...group, ...change }] });
  await refused(
    matrix({ threads: [0] }),
    /matrix\[0\]\.threads\[0\]: expected at least 1, found 0/,
  );
  await refused(matrix({ threads: [-1] }), /found -1/);
  await refused(matrix({ threads: ['1'] }), /expected a number, found "1"/);
  await refused(matrix({ threads: [1e9] }), /expected at most 1024/);
  await refused({ ...good, warmupMs: -5 }, /warmupMs: expected at least 0, found -5/);
  await refused({ ...good, repeats: { quick: 1e15 } }, /repeats\.quick: expected at most 1000/);
  await refused({ ...good, repeats: { quik: 1 } }, /repeats: unknown key "quik"; .*"quick"/);
  await refused(matrix({ pipelines: [] }), /pipelines: expected at least 1 items/);
  const many = Array.from({ length: 200 }, () => 'plaintext');
  await refused(
    matrix({ pipelines: many, threads: Array.from({ length: 64 }, (_, index) => index + 1) }),
    /matrix: expected at most 10000 cells, found 12800/,
  );
});

void test('unknown words are refused with the nearest known one, all in one message', async () => {
  await refused(
    {
      ...good,
      matrix: [
        {
          pipelines: ['plantext', 'zebra', 'plaintext:Hop'],
          implementations: ['natve', 'noble:x=1', './none.ts'],
          workloads: ['chatt', 'chat:sesions=4', 'chat:loss=0.6', 'chat:bytes=3', 'sizes:bytes=x'],
          threads: [1],
        },
      ],
      baseline: 'transprt',
    },
    /12 problems/,
    /matrix\[0\]\.pipelines\[0\]: unknown pipeline "plantext"; did you mean "plaintext"\?/,
    /pipelines\[1\]: unknown pipeline "zebra"; there are: plaintext, transport/,
    /pipelines\[2\]: expected options as key=value/,
    /implementations\[0\]: unknown implementation "natve"; did you mean "native"\?/,
    /implementations\[1\]: expected an implementation without options/,
    /implementations\[2\]: expected a \.ts, \.js or \.mjs file .*"\.\/none\.ts"/,
    /workloads\[0\]: unknown workload "chatt"; did you mean "chat"\?/,
    /unknown option "sesions"; did you mean "sessions"\?/,
    /network\.loss: expected at most 0\.5, found 0\.6/,
    /option "bytes" does not apply/,
    /and 2 more/,
  );
});

void test('the baseline must be a pipeline of the matrix', async () => {
  await refused(
    { ...good, baseline: 'double-ratchet' },
    /baseline: expected a pipeline of the matrix, found "double-ratchet"/,
  );
});

void test('the CPU of the process is read with one thread only', async () => {
  const { suite } = await load({ ...good, cpu: 'process' });
  assert.equal(suite.cpu, 'process');
  assert.equal((await load(good)).suite.cpu, undefined);
  await refused(
    { ...good, cpu: 'process', matrix: [group, { ...group, threads: [1, 2] }] },
    /matrix\[1\]\.threads\[1\]: expected 1, as the suite reads the CPU of the process, found 2/,
  );
  await refused({ ...good, cpu: 'proces' }, /cpu: expected .*"process"/);
});

void test('other pipelines keep the baseline when it is among them', async () => {
  const file = await fileOf(JSON.stringify(good));
  const { baseline } = good;
  const kept = await loadSuite(file, known, { pipelines: ['plaintext', baseline] });
  assert.equal(kept.suite.baseline, baseline);
  const without = await loadSuite(file, known, { pipelines: ['plaintext'] });
  assert.equal(without.suite.baseline, undefined);
});

void test('markup and control characters in names are refused', async () => {
  await refused({ ...good, name: '<b>mine</b>' }, /name: expected a name like a path/);
  await refused({ ...good, name: '../mine' }, /name: expected a name like a path/);
  await refused({ ...good, title: 'a\u001b[2J' }, /title: expected text without control/);
  await refused(
    { ...good, matrix: [{ ...group, pipelines: ['<script>alert(1)</script>'] }] },
    /pipelines\[0\]: expected a name such as/,
  );
});

void test('options of a workload go where they belong, and only what differs is shown', async () => {
  const { workload, segment } = await loadWorkload(
    'chat:sessions=400,loss=0.0100,depth=7,messages=0040',
  );
  assert.equal(segment, 'chat:depth=7,loss=0.01');
  assert.deepEqual(
    [workload.sessions, workload.network.loss, workload.network.reorderDepth, workload.messages],
    [400, 0.01, 7, 40],
  );
  assert.equal((await loadWorkload('sizes:bytes=4096')).segment, 'sizes:bytes=4096');
});

void test('the place of loss is a word; the usual one is shown nowhere and changes no digest', async () => {
  const { workload, segment } = await loadWorkload('chat:lossAt=uplink,loss=0.01');
  assert.equal(segment, 'chat:loss=0.01,lossAt=uplink');
  assert.equal(workload.network.lossAt, 'uplink');
  const usual = await loadWorkload('chat:lossAt=downlink');
  assert.equal(usual.segment, 'chat');
  assert.deepEqual(canonicalJson(usual), canonicalJson(await loadWorkload('chat')));
});

for (const [text, pattern] of [
  ['chat:sessions=0', /sessions: expected at least 1, found 0/],
  ['chat:sessions=-3', /sessions: expected at least 1, found -3/],
  ['chat:sessions=99999999', /sessions: expected at most 10000000/],
  ['chat:sessions=1.5', /sessions: expected an integer, found 1.5/],
  ['chat:sessions=many', /option "sessions": expected a number, found "many"/],
  ['chat:sessions=1e3', /expected a number, found "1e3"/],
  ['chat:constructor=1', /unknown option "constructor"/],
  ['chat:lossat=relay', /unknown option "lossat"; did you mean "lossAt"\?/],
  [
    'chat:lossAt=uplnk',
    /option "lossAt": expected one of uplink, relay, downlink, found "uplnk"; did you mean "uplink"\?/,
  ],
] as const) {
  void test(`the workload ${text} is refused`, async () => {
    await assert.rejects(loadWorkload(text), { code: 'BAD_INPUT', message: pattern });
  });
}

void test("a user's own workload is checked against its behaviour", async () => {
  const own = {
    ...(await loadWorkload('chat')).workload,
    $schema: undefined,
    name: 'own',
  };
  const file = join(folder, 'own.json');
  const rewrite = (change: object): Promise<void> =>
    writeFile(file, JSON.stringify({ ...own, ...change }));
  await rewrite({});
  assert.equal((await loadWorkload(`${file}:sessions=2`)).segment, 'own.json:sessions=2');

  const refusedWith = async (change: object, pattern: RegExp): Promise<void> => {
    await rewrite(change);
    await assert.rejects(loadWorkload(file), { code: 'BAD_INPUT', message: pattern });
  };
  await refusedWith({ name: 'other' }, /name: expected "own", as its file is called/);
  await refusedWith({ behaviour: 'burst' }, /unknown behaviour "burst"; did you mean "bursts"/);
  await refusedWith(
    { parameters: { meanBurst: 0, maxBurst: 3 } },
    /parameters\.meanBurst: expected/,
  );
  await refusedWith({ parameters: { meanBurst: 2 } }, /parameters\.maxBurst: .* found nothing/);
  await refusedWith(
    { parameters: { meanBurst: 2, maxBurst: 3, meanBurts: 1 } },
    /unknown parameter "meanBurts" of bursts; did you mean "meanBurst"/,
  );
  await refusedWith(
    { size: { distribution: 'log-normal', medianBytes: 5, sigma: 1, minBytes: 9, maxBytes: 3 } },
    /size\.maxBytes: expected at least minBytes, 9, found 3/,
  );
  await refusedWith({ size: { distribution: 'normal' } }, /size\.distribution: expected one of/);
  await mkdir(join(folder, 'folder.json'));
  await assert.rejects(loadWorkload(join(folder, 'folder.json')), { code: 'BAD_INPUT' });
});

function carrying(workload: string): unknown {
  return { ...good, matrix: [{ ...group, workloads: [workload] }] };
}

test('what cannot come by a schedule is refused', async () => {
  await refused(carrying('chat-poisson:loss=0.1'), /network\.loss: expected 0, as nothing is lost/);
  await refused(carrying('chat-poisson:messages=1'), /messages: expected at least 2/);
  await refused(
    carrying('chat-poisson:sessions=9000000'),
    /expected at most 50000000 messages in all/,
  );
  const base = (await loadWorkload('chat-poisson')).workload;
  const activity = { distribution: 'zipf', exponent: 1, mostExtra: 1_000 };
  const unequal = { ...base, $schema: undefined, name: 'unequal', messages: 2, activity };
  await writeFile(join(folder, 'unequal.json'), JSON.stringify(unequal));
  await assert.rejects(loadWorkload(`${join(folder, 'unequal.json')}:sessions=9000000`), {
    code: 'BAD_INPUT',
    message: /expected at most 50000000 messages in all by a schedule, found [5-9]\d{7}/,
  });
  await refused(carrying('chat-poisson:rate=0'), /arrivals\.perSecond: expected at least 0\.001/);
  await refused(carrying('chat:rate=10'), /option "rate" does not apply/);
  await refused(carrying('chat-ramp:rate=10'), /option "rate" does not apply/);
  const { workload, segment } = (await load(carrying('chat-poisson:rate=25'))).workloads.get(
    'chat-poisson:rate=25',
  )!;
  assert.equal(segment, 'chat-poisson:rate=25');
  assert.deepEqual(workload.arrivals, { pattern: 'poisson', perSecond: 25 });
});

test('a search for saturation that cannot be made is refused', async () => {
  const saturation = {
    p99Ms: 5,
    minPerSecond: 10,
    startPerSecond: 100,
    maxPerSecond: 1_000,
    windowSeconds: 1,
    resolution: 0.05,
  };
  await load({ ...good, saturation });
  const searching = (changes: object, matrix: object = {}): unknown => ({
    ...good,
    saturation: { ...saturation, ...changes },
    matrix: [{ ...group, ...matrix }],
  });
  await refused(
    searching({ startPerSecond: 5 }),
    /saturation\.startPerSecond: expected .* in this order/,
  );
  await refused(searching({ p99Ms: 50 }), /saturation\.windowSeconds: expected .* 50 times p99Ms/);
  await refused(
    searching({ maxPerSecond: 1_000_000, windowSeconds: 51 }),
    /saturation\.maxPerSecond: expected at most 50000000 messages in a window/,
  );
  await refused(searching({}, { threads: [2] }), /threads\[0\]: expected 1, as the suite searches/);
  await refused(
    searching({}, { workloads: ['chat-poisson'] }),
    /arrivals: expected none in a suite/,
  );
  await refused(searching({}, { workloads: ['chat:reorder=0.1'] }), /network\.reorder: expected 0/);
});
