/**
 * A child process that outlives its parent would go on computing for nobody, beside the run that
 * comes after. A parent that is killed can do nothing about that, so the child holds a pipe to it,
 * which the system closes in any case.
 *
 * @module
 */

import { Socket } from 'node:net';

/** Set in the environment of a child: the descriptor of the pipe. */
export const LIFELINE = 'SEALBENCH_LIFELINE';
export const LIFELINE_DESCRIPTOR = 4;

/**
 * Ends this process when its parent does; nothing for one that was started by hand.
 *
 * @param end How; at once when left out.
 */
export function endWithParent(end: () => void = () => process.exit(1)): void {
  if (process.env[LIFELINE] !== String(LIFELINE_DESCRIPTOR)) return;
  // This process's own children have other descriptors.
  delete process.env[LIFELINE];
  const line = new Socket({ fd: LIFELINE_DESCRIPTOR, readable: true, writable: false });
  line.on('error', () => undefined).on('close', end);
  line.resume().unref();
}
