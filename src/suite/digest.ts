/**
 * The digest of a suite: what two runs must have in common before their numbers are compared.
 *
 * @module
 */

import { createHash } from 'node:crypto';
import { canonicalJson } from '../core/json.ts';
import type { Workload } from '../workload/workload.ts';
import type { ExposureSuite } from './exposure-suite.ts';
import type { OperationSuite } from './operation-suite.ts';
import type { RelaySuite } from './relay-suite.ts';
import type { Suite } from './suite.ts';

/**
 * SHA-256, hex, over the canonical JSON of a suite and of the workloads that it resolves. `$schema`
 * is left out: it is an editor's business and may differ with the file's place.
 *
 * @param workloads By their segment in cell names.
 */
export function digestOf(
  suite: Suite | OperationSuite | RelaySuite | ExposureSuite,
  workloads: Iterable<{ readonly segment: string; readonly workload: Workload }>,
): string {
  const resolved = [...workloads].map(({ segment, workload }): [string, unknown] => [
    segment,
    { ...workload, $schema: undefined },
  ]);
  const data = {
    suite: { ...suite, $schema: undefined },
    workloads: Object.fromEntries(resolved),
  };
  return createHash('sha256').update(canonicalJson(data)).digest('hex');
}
