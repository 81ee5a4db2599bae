/**
 * What the parent of a run knows of pipelines: their descriptions.
 *
 * Loading a pipeline loads no provider, so this costs milliseconds and imports no cryptography.
 *
 * @module
 */

import { loadByName } from '../core/discover.ts';
import { PIPELINES_DIR } from '../core/paths.ts';
import type { Pipeline } from '../pipelines/_pipeline.ts';

/** @param names Names, or paths of users' own files; each is loaded once. */
export async function loadPipelines(names: Iterable<string>): Promise<Map<string, Pipeline>> {
  const pipelines = new Map<string, Pipeline>();
  for (const name of new Set(names)) {
    pipelines.set(name, await loadByName<Pipeline>(PIPELINES_DIR, name, 'pipeline'));
  }
  return pipelines;
}
