/**
 * The metrics of this folder, found by their names.
 *
 * @module
 */

import { listNames, loadByName } from '../core/discover.ts';
import { METRICS_DIR } from '../core/paths.ts';
import type { Metric } from './_metric.ts';

/** Every metric, sorted by name. */
export async function loadMetrics(): Promise<Metric[]> {
  const names = await listNames(METRICS_DIR);
  return Promise.all(names.map((name) => loadByName<Metric>(METRICS_DIR, name, 'metric')));
}
