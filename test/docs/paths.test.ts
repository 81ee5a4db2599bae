/** What README.md and docs/ name is there: files, folders, suites, and what links point to. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { test } from 'node:test';
import { BASELINES_DIR, PACKAGE_ROOT, RUNS_DIR, SUITES_DIR } from '../../src/core/paths.ts';

/** Folders of the repository whose paths are written out in full. */
const PATH = /^(?:docs|results|src|suites|test|workers)\//;
/** In the place of a part that a reader fills in. */
const PLACEHOLDER = /[<>*{}]|\.\.\.|\b(?:NAME|DATE)\b/;
/** Made by whoever runs something; kept by nobody. */
const MADE = [RUNS_DIR, BASELINES_DIR].map((folder) => `${inRepository(folder)}/`);
/** `scale/growth` stands for `suites/scale/growth.json`. */
const SUITE = new RegExp(`^(?:${suiteFolders().join('|')})/[a-z0-9-]+$`);

function inRepository(path: string): string {
  return relative(PACKAGE_ROOT, path).split(sep).join('/');
}

function suiteFolders(): string[] {
  const entries = readdirSync(SUITES_DIR, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

interface Named {
  /** As they are written. */
  readonly paths: readonly string[];
  readonly suites: readonly string[];
  readonly links: readonly string[];
}

function namedIn(markdown: string): Named {
  const prose = markdown.replaceAll(/^```[\s\S]*?^```/gm, '');
  const words = [...prose.matchAll(/`([^`]+)`/g)].flatMap(([, code]) => code!.split(/\s+/));
  const links = [...prose.replaceAll(/`[^`]+`/g, '').matchAll(/\]\(([^)\s]+)/g)];
  return {
    paths: words.filter(
      (word) =>
        PATH.test(word) && !PLACEHOLDER.test(word) && !MADE.some((made) => word.startsWith(made)),
    ),
    suites: words.filter((word) => SUITE.test(word)),
    links: links.map(([, target]) => target!).filter((target) => !/^(?:#|[a-z]+:)/.test(target)),
  };
}

function isMissing(...parts: string[]): boolean {
  return !existsSync(join(PACKAGE_ROOT, ...parts));
}

/** What a document names that is not there. */
function missingFrom(file: string, { paths, suites, links }: Named): string[] {
  return [
    ...paths.filter((path) => isMissing(path)),
    ...suites.filter((suite) => isMissing('suites', `${suite}.json`)),
    ...links.filter((link) => isMissing(dirname(file), link.replace(/#.*/, ''))),
  ].map((what) => `${file}: ${what}`);
}

async function documents(): Promise<Map<string, Named>> {
  const found = new Map<string, Named>();
  for await (const path of glob(['README.md', 'docs/**/*.md'], { cwd: PACKAGE_ROOT })) {
    const file = path.split(sep).join('/');
    found.set(file, namedIn(await readFile(join(PACKAGE_ROOT, file), 'utf8')));
  }
  return found;
}

test('every path, suite and link in README.md and docs/ is there', async () => {
  const missing: string[] = [];
  for (const [file, named] of await documents()) missing.push(...missingFrom(file, named));
  assert.deepEqual(missing, []);
});

test('the test of paths sees those of the documents', async () => {
  const all = await documents();
  assert.ok(all.has('README.md') && all.has('docs/examples/gate/README.md'));
  assert.ok(all.get('docs/ARCHITECTURE.md')!.paths.includes('src/core/errors.ts'));
  assert.ok(all.get('docs/SCALE.md')!.suites.length > 0);
  assert.ok(all.get('README.md')!.links.includes('docs/ARCHITECTURE.md'));
});

test('the test of paths objects to planted mistakes, and to nothing else', () => {
  const wrong = [
    '`src/core/gone.ts`',
    '`node --test test/core/gone.test.ts`',
    '`suites/scale/gone.json`',
    '`scale/gone`',
    '[gone](GONE.md)',
    '[gone](GONE.md#part)',
  ];
  for (const text of wrong) {
    assert.equal(missingFrom('docs/PLANTED.md', namedIn(`As ${text}.`)).length, 1, text);
  }
  const right = [
    '`src/core/errors.ts` and `src/core/`',
    '`run scale/growth --seed 1`',
    '`src/pipelines/<name>.ts` and `test/**/*.test.ts`',
    '`results/published/DATE-knee` and `suites/workloads/NAME.json`',
    '`results/runs/` and `results/baselines/`',
    '`rust/src/gone.rs`',
    '[limits](LIMITS.md#part), [part](#part), [there](https://example.org/gone)',
    '`[gone](GONE.md)`',
    '\n```sh\nrun scale/gone --out src/gone\n```\n',
  ];
  for (const text of right) {
    assert.deepEqual(missingFrom('docs/PLANTED.md', namedIn(`As ${text}.`)), [], text);
  }
});
