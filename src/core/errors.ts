/**
 * What a user can run into, each with a literal code.
 *
 * A message names the file and the path in it, what was expected and what to do. It never carries a
 * key, a plaintext or a stack trace. Anything thrown that is not a `HarnessError` is a bug of ours.
 *
 * @module
 */

export type ErrorCode =
  /** A command line, suite, workload, option or result that cannot be used. Exit status 2. */
  | 'BAD_INPUT'
  /** An optional library that is not installed or does not load. The cell becomes `unavailable`. */
  | 'UNAVAILABLE'
  /** An implementation that lacks a primitive the pipeline needs. The cell becomes `unsupported`. */
  | 'UNSUPPORTED'
  /** A measured pipeline that gave a wrong result. The cell becomes an error row. Exit status 3. */
  | 'WRONG_RESULT'
  /** A file that could not be written. Exit status 3. */
  | 'NOT_WRITTEN';

export class HarnessError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.name = 'HarnessError';
    this.code = code;
  }
}

/** Shorthand for the commonest one. */
export function badInput(message: string): HarnessError {
  return new HarnessError('BAD_INPUT', message);
}
