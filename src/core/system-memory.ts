/**
 * How much memory there is, for whoever plans work by it.
 *
 * @module
 */

import { totalmem } from 'node:os';

/** Of the machine, or less where a container or a control group allows less. Bytes. */
export function memoryLimitBytes(
  machineBytes: number = totalmem(),
  constrainedBytes: number = process.constrainedMemory(),
): number {
  // Without a limit it is 0, or under cgroup v1 more than any machine has.
  return constrainedBytes > 0 ? Math.min(machineBytes, constrainedBytes) : machineBytes;
}
