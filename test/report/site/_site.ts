/**
 * Small runs on disk, and the site that is made of them.
 *
 * @module
 */

import { join } from 'node:path';
import {
  seriesKey,
  type CellResult,
  type Series,
  type SeriesName,
} from '../../../src/report/cells.ts';
import type { SiteRun } from '../../../src/report/site/page.ts';
import { summaryOf } from '../../../src/report/summary.ts';
import type { Manifest } from '../../../src/results/manifest.ts';
import type { RepeatRecord } from '../../../src/results/record.ts';
import { createRun } from '../../../src/results/store.ts';
import { exampleManifest } from '../../results/example.ts';
import { E3, L3, L4, L5, L6, recordsOfCosts, type Costs } from '../fixtures.ts';

export const COSTS: readonly (readonly [Partial<RepeatRecord>, Costs])[] = [
  [L3, { sender: 1_900, relay: 5_500, receiver: 1_700 }],
  [L4, { sender: 3_300, relay: 5_600, receiver: 6_100 }],
  [L5, { sender: 5_800, relay: 5_200, receiver: 5_900 }],
  [L6, { sender: 7_200, relay: 6_400, receiver: 39_500 }],
  [E3, { sender: 69_000, relay: 7_000, receiver: 40_000, authority: 45_000 }],
];

/** Repeats that differ a little, so that there are intervals. */
export function ladderRecords(repeats = 6, costs = COSTS): RepeatRecord[] {
  return costs.flatMap(([names, cost], line) =>
    recordsOfCosts(
      names,
      Array.from({ length: repeats }, (_, repeat) => {
        const factor = 1 + 0.01 * ((repeat + line) % 3);
        return {
          ...cost,
          sender: cost.sender * factor,
          relay: cost.relay * factor,
          receiver: cost.receiver * factor,
          opening: { publish: 100_000, initiate: 200_000, accept: 150_000 },
          connect: 60_000,
        };
      }),
    ),
  );
}

/** Writes a finished run. */
export function writeRun(
  parent: string,
  name: string,
  records: readonly RepeatRecord[],
  changes: Parameters<typeof exampleManifest>[0] = {},
): string {
  const folder = join(parent, name);
  const { suite } = exampleManifest();
  const run = createRun(
    folder,
    exampleManifest({
      suite: { ...suite, name: 'curated/ladder', title: 'The ladder', baseline: 'double-ratchet' },
      cells: [...new Set(records.map(({ cell }) => cell))],
      ...changes,
    }),
  );
  for (const record of records) run.append(record);
  run.finish({ endedAt: '2026-01-31T13:00:00.000Z' });
  return folder;
}

/** A series of a cell, its values by repeat. */
export function seriesFixture(
  name: SeriesName & { readonly unit: string },
  values: readonly number[],
): readonly [string, Series] {
  const at = { stage: '', role: '', kind: '', statistic: 'median', ...name } as const;
  return [seriesKey(at), { ...at, values: new Map(values.entries()) }];
}

export function cellFixture(
  names: Partial<CellResult>,
  series: readonly (readonly [string, Series])[],
): CellResult {
  const { pipeline = 'double-ratchet', implementation = 'native', workload = 'chat' } = names;
  return {
    cell: `x/${pipeline}/${implementation}/${workload}/t1`,
    suite: 'x',
    pipeline,
    implementation,
    workload,
    threads: 1,
    family: 'ratchet',
    rung: 'L6',
    messagesPerSession: 40,
    messagesPerConnection: 20,
    messagesPerUserDay: 55,
    sessions: 1,
    load: 'closed',
    status: 'ok',
    repeats: 3,
    leftOut: 0,
    ...names,
    series: new Map(series),
  };
}

export function siteRunFixture(
  name: string,
  cells: readonly CellResult[],
  changes: Partial<Manifest> = {},
): SiteRun {
  const manifest = exampleManifest(changes);
  const { suite } = manifest;
  return {
    name,
    manifest,
    records: [],
    cells,
    pipelines: [],
    overhead: undefined,
    summary: summaryOf({ suite, cells, pipelines: [] }),
  };
}

/** Markup that would run if it were any. */
export const EVIL = '"><img src=x onerror=alert(1)><script>alert(2)</script><svg onload=alert(3)>';
export const LINK = 'javascript:alert(4)';

/** All that a result may hold, as far as its schema lets it in. */
export function hostileRecords(): RepeatRecord[] {
  const names = { implementation: EVIL, family: `escrow-wrapped${EVIL}`, workload: `chat:${LINK}` };
  return COSTS.flatMap(([line, cost]) =>
    recordsOfCosts({ ...line, ...names, pipeline: `${line.pipeline}${EVIL}` }, [
      cost,
      cost,
      cost,
    ]).map((record) => ({ ...record, cell: `ladder/${line.pipeline}/native/chat/t1` })),
  );
}
