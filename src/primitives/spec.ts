/**
 * What one repeat of an operation is asked to do: plain data, one JSON line into a child process.
 *
 * @module
 */

export interface OperationSpec {
  readonly kind: 'operation';
  /** The cell's full name, for messages. */
  readonly cell: string;
  /** A name under src/primitives/operations/. */
  readonly primitive: string;
  /** A provider, a name under src/primitives/implementations/, or the path of a provider. */
  readonly provider: string;
  /** See `length` of the operation. */
  readonly bytes: number;
  /** A name under src/primitives/tools/: then it is a cross-check. */
  readonly against?: string;
  readonly seed: number;
  readonly repeat: number;
  /** `verify` proves the implementation and times nothing. */
  readonly purpose: 'measure' | 'verify';
  readonly warmupMs: number;
  readonly timedMs: number;
}
