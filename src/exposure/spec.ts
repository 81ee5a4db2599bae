/**
 * What a child process is asked that mounts attacks: one JSON line.
 *
 * @module
 */

import type { Workload } from '../workload/workload.ts';

export interface ExposureTask {
  readonly kind: 'exposure';
  /** A name under src/pipelines/, or a file. */
  readonly pipeline: string;
  readonly provider: string;
  readonly options: Readonly<Record<string, string>>;
  readonly workload: Workload;
  readonly seed: number;
  readonly retentionDays: number;
  /** Names of files in src/exposure/adversaries/. */
  readonly adversaries: readonly string[];
}
