import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differences, fingerprintOf, requireSame } from '../../src/results/fingerprint.ts';
import type { Manifest } from '../../src/results/manifest.ts';
import { exampleManifest } from './example.ts';

const MANIFEST = exampleManifest();
const { environment, suite } = MANIFEST;

function fieldsThatDiffer(change: Partial<Manifest>): string[] {
  const other = fingerprintOf(exampleManifest(change));
  return differences(fingerprintOf(MANIFEST), other).map(({ field }) => field);
}

test('machine, software, suite and code are in the fingerprint', () => {
  assert.deepEqual(
    fieldsThatDiffer({
      environment: {
        ...environment,
        cpuModel: 'Another',
        availableCores: 1,
        governor: 'powersave',
        node: '24.12.0',
        v8: '13',
        openssl: '3.0',
        packages: { zod: '4.0.1', piscina: '5.3.2' },
      },
      suite: { ...suite, name: 'x/other', digest: 'c'.repeat(64) },
      codeDigest: 'd'.repeat(64),
    }),
    [
      'environment.cpuModel',
      'environment.availableCores',
      'environment.governor',
      'environment.node',
      'environment.v8',
      'environment.openssl',
      'environment.packages.zod',
      'suite.name',
      'suite.digest',
      'codeDigest',
      'environment.packages.piscina',
    ],
  );
});

test('what differs between any two runs of one thing is not', () => {
  assert.deepEqual(
    fieldsThatDiffer({
      seed: 8,
      budget: 'thorough',
      git: null,
      startedAt: '2026-02-01T00:00:00.000Z',
      endedAt: '2026-02-01T01:00:00.000Z',
      argv: ['run', 'x/mine', '--repeats', '9'],
      cells: [MANIFEST.cells[0]!],
      calibration: { overhead: {} },
      environment: { ...environment, memoryBytes: environment.memoryBytes - 4_096 },
    }),
    [],
  );
});

test('every field of the environment is named in the fingerprint, but for the memory', () => {
  const named = [...fingerprintOf(MANIFEST).keys()];
  for (const field of Object.keys(environment)) {
    const isNamed = named.some(
      (name) => name === `environment.${field}` || name.startsWith(`environment.${field}.`),
    );
    assert.equal(isNamed, field !== 'memoryBytes', field);
  }
});

test('a field that one run lacks differs, in both directions', () => {
  const with2 = fingerprintOf(exampleManifest());
  const without = fingerprintOf(exampleManifest({ environment: { ...environment, packages: {} } }));
  assert.deepEqual(differences(with2, without), [
    { field: 'environment.packages.zod', first: '4.0.0', second: 'none' },
  ]);
  assert.deepEqual(differences(without, with2), [
    { field: 'environment.packages.zod', first: 'none', second: '4.0.0' },
  ]);
});

test('a refusal names at most three fields with both values, and what to do', () => {
  const other = exampleManifest({
    environment: { ...environment, node: '24.12.0', v8: '13', openssl: '3.0\u001B[2J' },
    codeDigest: 'd'.repeat(64),
  });
  const refused = (): void =>
    requireSame(
      [
        { manifest: MANIFEST, called: 'in the first' },
        { manifest: other, called: 'here' },
      ],
      { where: 'runs/b', expected: 'the same machine as runs/a', remedy: 'measure again' },
    );
  assert.throws(refused, {
    code: 'BAD_INPUT',
    message:
      'runs/b: expected the same machine as runs/a, but environment.node is 26.0.0 in the first ' +
      'and 24.12.0 here, environment.v8 is 14 in the first and 13 here, environment.openssl is 3.5 ' +
      'in the first and 3.0\\u{001b}[2J here, and 1 more field differs; measure again',
  });
});
