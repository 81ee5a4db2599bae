import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { z } from 'zod';
import { PACKAGE_ROOT, SUITES_DIR } from '../../src/core/paths.ts';
import { manifestSchema } from '../../src/results/manifest.ts';
import { FORMAT, repeatRecord } from '../../src/results/record.ts';
import { exposureSuiteSchema } from '../../src/suite/exposure-suite.ts';
import { operationSuiteSchema } from '../../src/suite/operation-suite.ts';
import { relaySuiteSchema } from '../../src/suite/relay-suite.ts';
import { suiteSchema } from '../../src/suite/suite.ts';
import { workloadSchema } from '../../src/workload/workload.ts';

/** What editors and other programs check files against, generated from what sealbench checks. */
const PUBLISHED = [
  {
    file: join(SUITES_DIR, 'suite.schema.json'),
    title: 'A suite of sealbench',
    schema: suiteSchema,
  },
  {
    file: join(SUITES_DIR, 'operations.schema.json'),
    title: 'A suite of sealbench, of single operations',
    schema: operationSuiteSchema,
  },
  {
    file: join(SUITES_DIR, 'relay.schema.json'),
    title: 'A suite of sealbench, of loads of a relay',
    schema: relaySuiteSchema,
  },
  {
    file: join(SUITES_DIR, 'exposure.schema.json'),
    title: 'A suite of sealbench, of attacks',
    schema: exposureSuiteSchema,
  },
  {
    file: join(SUITES_DIR, 'workload.schema.json'),
    title: 'A workload of sealbench',
    schema: workloadSchema,
  },
  {
    file: join(PACKAGE_ROOT, 'results', 'manifest.schema.json'),
    title: `manifest.json of a run of sealbench, format ${FORMAT}`,
    schema: manifestSchema,
  },
  {
    file: join(PACKAGE_ROOT, 'results', 'cells.schema.json'),
    title: `A line of cells.ndjson of a run of sealbench, format ${FORMAT}`,
    schema: repeatRecord,
  },
];

for (const { file, title, schema } of PUBLISHED) {
  void test(`the published schema is that of the program: ${title}`, async () => {
    const published = z.toJSONSchema(schema.meta({ title }), { io: 'input' });
    const text = `${JSON.stringify(published, undefined, 2)}\n`;
    if (process.env['UPDATE_SCHEMAS'] === '1') await writeFile(file, text);
    const committed = await readFile(file, 'utf8').catch(() => '');
    assert.ok(
      committed === text,
      `${file} is not up to date; write it anew with: ` +
        'UPDATE_SCHEMAS=1 node --test test/suite/published-schemas.test.ts',
    );
  });
}
