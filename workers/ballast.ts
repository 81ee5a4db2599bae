/**
 * Child process: computes all the time, so that servers beside it on a core have less of it than their
 * load asks for. It ends with its parent.
 *
 * @module
 */

/** Between two looks whether the parent is there. */
const TURN_MS = 20;

process.on('message', () => {});
process.on('disconnect', () => process.exit());
compute();

function compute(): void {
  const endMs = performance.now() + TURN_MS;
  while (performance.now() < endMs);
  setImmediate(compute);
}
