/**
 * The layer table: who may import whom. Imports point down; the table is also the documentation.
 *
 * TypeScript 7 has no compiler API, so imports are read from the text. That is enough for code that
 * is formatted by one tool: every static import begins a line.
 */

import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { test } from 'node:test';
import { listNames, loadByName } from '../src/core/discover.ts';
import {
  ADVERSARIES_DIR,
  BEHAVIOURS_DIR,
  COMMANDS_DIR,
  IMPLEMENTATIONS_DIR,
  METRICS_DIR,
  OPERATIONS_DIR,
  PACKAGE_ROOT,
  PAGES_DIR,
  PIPELINES_DIR,
  PROVIDERS_DIR,
  TOOLS_DIR,
} from '../src/core/paths.ts';

/** Each layer may import itself, `core` and what is listed here. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  crypto: [],
  stats: [],
  measure: [],
  workload: [],
  providers: ['crypto'],
  protocols: ['crypto'],
  pipelines: ['protocols', 'crypto'],
  // Pipelines that a library computes: src/pipelines/foreign/. Nobody imports them.
  foreign: ['pipelines', 'protocols', 'crypto'],
  exposure: ['pipelines', 'protocols', 'crypto', 'workload', 'measure'],
  suite: ['workload'],
  results: ['measure'],
  metrics: ['measure', 'stats', 'results'],
  compare: ['results', 'stats', 'metrics', 'measure'],
  engine: ['pipelines', 'workload', 'measure', 'stats', 'crypto'],
  // No crypto: the relay cannot decrypt. Where a pipeline lets it read, it is handed a role.
  relay: ['measure', 'workload', 'stats'],
  primitives: ['crypto', 'measure', 'stats'],
  // prettier-ignore
  runner: [
    'engine', 'primitives', 'suite', 'workload', 'results', 'measure', 'stats', 'pipelines', 'relay',
    'exposure',
  ],
  report: ['results', 'metrics', 'stats', 'measure', 'compare'],
  // prettier-ignore
  cli: [
    'providers', 'pipelines', 'crypto', 'workload', 'measure', 'stats', 'metrics', 'engine',
    'suite', 'results', 'runner', 'report', 'primitives', 'compare', 'relay',
  ],
  // Composition roots: they join provider, pipeline and engine, and nobody imports them.
  workers: [
    'providers',
    'pipelines',
    'protocols',
    'crypto',
    'workload',
    'measure',
    'engine',
    'primitives',
    'exposure',
    'runner',
    'relay',
  ],
};

/** Where one layer may import only some files of another, or only their types. */
const NARROWED: readonly {
  readonly from: string;
  readonly to: string;
  readonly files?: readonly string[];
  readonly typesOnly?: boolean;
}[] = [
  // The engine drives any pipeline, so it may know the contract and no pipeline.
  { from: 'engine', to: 'pipelines', files: ['_pipeline.ts', '_members.ts'] },
  // The parent of a repeat computes nothing; it knows the shape of what it asks for.
  { from: 'runner', to: 'engine', typesOnly: true },
  { from: 'runner', to: 'primitives', files: ['spec.ts'], typesOnly: true },
  { from: 'runner', to: 'exposure', files: ['spec.ts'], typesOnly: true },
  { from: 'runner', to: 'pipelines', files: ['_pipeline.ts'], typesOnly: true },
  // The process of a repeat hosts the pool; it knows nothing of plans and results.
  {
    from: 'workers',
    to: 'runner',
    files: ['host.ts', 'lifeline.ts', 'relay-process.ts', 'repeat-report.ts'],
  },
];

/** Packages and the layers that may import them; `zod` may be used for schemas anywhere. */
const PACKAGES: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^@noble\//, ['providers']],
  [/^libsodium-wrappers/, ['providers']],
  [/^sodium-native$/, ['providers']],
  [/^hdr-histogram-js/, ['measure']],
  [/^piscina$/, ['runner', 'workers']],
  [/^(?:tinybench|mitata)$/, ['primitives']],
  [/^(?:vega|vega-lite|vega-interpreter|@resvg\/resvg-js)$/, ['report']],
  [/^(?:autocannon|undici)$/, ['relay']],
  [/^zod$/, Object.keys(LAYERS)],
  [/^@signalapp\/libsignal-client$/, ['foreign']],
  [/^@matrix-org\/olm$/, ['foreign']],
  [/^@hpke\/core$/, ['foreign']],
  [/^shamir-secret-sharing$/, ['foreign']],
];

/** Files outside `providers` that may import `node:crypto`, each with its reason. */
const NODE_CRYPTO: Readonly<Record<string, string>> = {
  'src/measure/reference-kernel.ts': 'a fixed amount of work to tell a slow machine by',
  'src/primitives/tools/openssl.ts': 'the bare call that openssl speed is set beside',
  'src/report/site/build.ts': 'the digest of the one script that pages may run',
  'src/engine/digest.ts': 'the digest of the deterministic facts',
  'src/suite/digest.ts': 'the digest of a suite',
  'src/results/code-digest.ts': 'the digest of the code that ran',
};

interface Import {
  readonly specifier: string;
  readonly typesOnly: boolean;
}

/** All imports of a source with a literal specifier; `undefined` stands for a computed one. */
function importsOf(source: string): (Import | undefined)[] {
  const code = source
    .split('\n')
    .filter((line) => !/^\s*(?:\/\/|\/?\*)/.test(line))
    .join('\n');
  const found: (Import | undefined)[] = [];
  const statics =
    /^\s*(?:import|export)\b(?<names>[^'"`;]*?)\bfrom\s*['"](?<specifier>[^'"]+)['"]/gm;
  for (const { groups } of code.matchAll(statics)) {
    const typesOnly = /^\s*type\b/.test(groups!['names']!);
    found.push({ specifier: groups!['specifier']!, typesOnly });
  }
  for (const [, specifier] of code.matchAll(/^\s*import\s*['"]([^'"]+)['"]/gm)) {
    found.push({ specifier: specifier!, typesOnly: false });
  }
  const dynamics = /\b(?:import|require)\(\s*(?:['"](?<specifier>[^'"]+)['"])?/g;
  for (const { groups } of code.matchAll(dynamics)) {
    const specifier = groups?.['specifier'];
    found.push(specifier === undefined ? undefined : { specifier, typesOnly: false });
  }
  return found;
}

/**
 * `src/measure/clock.ts` is of the layer `measure`, `workers/repeat.ts` of `workers`, and what is in
 * `src/pipelines/foreign/` of `foreign`.
 */
function layerOf(file: string): string {
  const [first, second, third] = file.split('/');
  if (second === 'pipelines' && third === 'foreign') return third;
  return first === 'src' ? second! : first!;
}

/** What is wrong with one import, or undefined. */
function objection(file: string, { specifier, typesOnly }: Import): string | undefined {
  const from = layerOf(file);
  if (specifier === 'node:crypto') {
    const allowed = from === 'providers' || Object.hasOwn(NODE_CRYPTO, file);
    return allowed ? undefined : `${file} may not import node:crypto`;
  }
  if (specifier.startsWith('node:')) return undefined;
  if (!specifier.startsWith('.')) {
    const allowed = PACKAGES.find(([name]) => name.test(specifier))?.[1] ?? [];
    return allowed.includes(from) ? undefined : `${file} may not import ${specifier}`;
  }
  const target = normalize(join(dirname(file), specifier))
    .split(sep)
    .join('/');
  const to = layerOf(target);
  if (to === from) return undefined;
  if (to !== 'core' && LAYERS[from]?.includes(to) !== true) {
    return `${file} may not import ${to} (${specifier})`;
  }
  const narrowed = NARROWED.find((rule) => rule.from === from && rule.to === to);
  if (narrowed?.typesOnly === true && !typesOnly) {
    return `${file} may import only types of ${to} (${specifier})`;
  }
  if (narrowed?.files?.includes(target.slice(`src/${to}/`.length)) === false) {
    return `${file} may not import this file of ${to} (${specifier})`;
  }
  return undefined;
}

async function sources(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const path of glob('{src,workers}/**/*.{ts,js}', { cwd: PACKAGE_ROOT })) {
    found.set(path.split(sep).join('/'), await readFile(join(PACKAGE_ROOT, path), 'utf8'));
  }
  return found;
}

test('every import points down the layer table', async () => {
  const objections: string[] = [];
  for (const [file, source] of await sources()) {
    for (const imported of importsOf(source)) {
      if (imported === undefined) continue;
      const found = objection(file, imported);
      if (found !== undefined) objections.push(found);
    }
  }
  assert.deepEqual(objections, []);
});

test('what is imported by a computed name is imported by the registry or the launcher', async () => {
  const computing: string[] = [];
  for (const [file, source] of await sources()) {
    if (importsOf(source).includes(undefined)) computing.push(file);
  }
  assert.deepEqual(computing.sort(), ['src/cli/bin.js', 'src/core/discover.ts']);
});

test('the relay uses no cryptography, neither imported nor global', async () => {
  for (const [file, source] of await sources()) {
    if (layerOf(file) !== 'relay') continue;
    const code = source.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    assert.doesNotMatch(code, /\bcrypto\b|\bsubtle\b/, file);
  }
  assert.ok(objection('src/relay/token.ts', { specifier: 'node:crypto', typesOnly: false }));
  assert.ok(
    objection('src/relay/role.ts', { specifier: '../crypto/provider.ts', typesOnly: true }),
  );
});

test('every folder under src is a layer of the table', async () => {
  const layers = new Set([...(await sources()).keys()].map(layerOf));
  for (const layer of layers) assert.ok(Object.hasOwn(LAYERS, layer), `${layer} is not in LAYERS`);
});

test('the list of files that may import node:crypto names only files that do', async () => {
  const all = await sources();
  for (const file of Object.keys(NODE_CRYPTO)) {
    assert.match(all.get(file) ?? '', /from 'node:crypto'/, `${file} does not import node:crypto`);
  }
});

test('the layer test sees every form of import', () => {
  const source = [
    "import { a } from './a.ts';",
    "import type { B } from './b.ts';",
    'import {',
    '  type C,',
    '  c,',
    "} from './c.ts';",
    "import './d.ts';",
    "export { e } from './e.ts';",
    "export * from './f.ts';",
    "  const g = await import('./g.ts');",
    '  const h = await import(pathToFileURL(file).href);',
    "  const i = require('./i.js');",
    "import j, * as all from './j.ts';",
    "// import { x } from './comment.ts';",
    " * Text about import('./comment.ts').",
  ].join('\n');
  const found = importsOf(source).map((imported) => imported?.specifier);
  const expected = 'abcefjdghi'.split('').map((letter) => {
    if (letter === 'h') return undefined;
    return letter === 'i' ? './i.js' : `./${letter}.ts`;
  });
  assert.deepEqual(found, expected);
  assert.equal(importsOf("import type { B } from './b.ts';")[0]?.typesOnly, true);
  assert.equal(importsOf("import { type B } from './b.ts';")[0]?.typesOnly, false);
});

test('the layer test objects to planted violations', () => {
  const planted: [string, string, boolean?][] = [
    ['src/core/bytes.ts', '../crypto/provider.ts'],
    ['src/stats/quantile.ts', '../crypto/provider.ts'],
    ['src/protocols/x3dh.ts', '../providers/node.ts'],
    ['src/protocols/x3dh.ts', 'node:crypto'],
    ['src/pipelines/plaintext.ts', '@noble/hashes/sha2.js'],
    ['src/pipelines/plaintext.ts', '@matrix-org/olm'],
    ['src/pipelines/plaintext.ts', './foreign/double-ratchet.libolm.ts'],
    ['src/engine/shard.ts', '../pipelines/double-ratchet.ts'],
    ['src/runner/execute.ts', '../engine/shard.ts'],
    ['src/runner/execute.ts', '../../workers/repeat.ts'],
    ['src/report/ladder.ts', '../cli/command.ts'],
    ['workers/repeat.ts', '../src/cli/command.ts'],
    ['workers/repeat.ts', '../src/runner/execute.ts'],
    ['src/report/ladder.ts', 'left-pad'],
  ];
  for (const [file, specifier] of planted) {
    const found = objection(file, { specifier, typesOnly: false });
    assert.ok(found, `${file} may import ${specifier}`);
  }
  assert.equal(
    objection('src/runner/execute.ts', { specifier: '../engine/spec.ts', typesOnly: true }),
    undefined,
  );
});

const REGISTRIES: Readonly<Record<string, string>> = {
  provider: PROVIDERS_DIR,
  adversary: ADVERSARIES_DIR,
  pipeline: PIPELINES_DIR,
  behaviour: BEHAVIOURS_DIR,
  primitive: OPERATIONS_DIR,
  implementation: IMPLEMENTATIONS_DIR,
  tool: TOOLS_DIR,
  metric: METRICS_DIR,
  command: COMMANDS_DIR,
  page: PAGES_DIR,
};
for (const [what, folder] of Object.entries(REGISTRIES)) {
  test(`every file in ${relative(PACKAGE_ROOT, folder)} is the ${what} of its file's name`, async () => {
    for (const name of await listNames(folder)) {
      const thing = await loadByName(folder, name, what);
      assert.equal(thing.name, name);
    }
  });
}
