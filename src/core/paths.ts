/**
 * Where things are, in source and when built.
 *
 * @module
 */

import { existsSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';

/** The folder that holds `src/` and `workers/`. */
const CODE_ROOT: string = dirname(dirname(import.meta.dirname));

/** The folder that holds package.json, `suites/` and `results/`. */
export const PACKAGE_ROOT: string = existsSync(join(CODE_ROOT, 'package.json'))
  ? CODE_ROOT
  : dirname(CODE_ROOT);

export const PROVIDERS_DIR: string = join(CODE_ROOT, 'src', 'providers');
export const PIPELINES_DIR: string = join(CODE_ROOT, 'src', 'pipelines');
export const BEHAVIOURS_DIR: string = join(CODE_ROOT, 'src', 'workload', 'behaviours');
export const OPERATIONS_DIR: string = join(CODE_ROOT, 'src', 'primitives', 'operations');
/** Implementations of primitives that are no providers. */
export const IMPLEMENTATIONS_DIR: string = join(CODE_ROOT, 'src', 'primitives', 'implementations');
/** Tools that cross-checks are against. */
export const TOOLS_DIR: string = join(CODE_ROOT, 'src', 'primitives', 'tools');
/** Adversaries whose attacks are mounted. */
export const ADVERSARIES_DIR: string = join(CODE_ROOT, 'src', 'exposure', 'adversaries');
export const METRICS_DIR: string = join(CODE_ROOT, 'src', 'metrics');
export const COMMANDS_DIR: string = join(CODE_ROOT, 'src', 'cli', 'commands');
/** Specifications of charts, which are data. */
export const CHARTS_DIR: string = join(CODE_ROOT, 'src', 'report', 'charts');
/** Pages of the site. */
export const PAGES_DIR: string = join(CODE_ROOT, 'src', 'report', 'pages');
/** What the site ships beside its pages. */
export const SITE_ASSETS_DIR: string = join(CODE_ROOT, 'src', 'report', 'site', 'assets');
export const SUITES_DIR: string = join(PACKAGE_ROOT, 'suites');
export const RUNS_DIR: string = join(PACKAGE_ROOT, 'results', 'runs');
export const BASELINES_DIR: string = join(PACKAGE_ROOT, 'results', 'baselines');

/** A thread's or process's entry in `workers/`, with the extension of this build. */
export function workerFile(name: string): string {
  return join(CODE_ROOT, 'workers', name + extname(import.meta.filename));
}
