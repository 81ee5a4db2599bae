/**
 * One repeat of an operation, in a process of its own: prove, prepare, time, check.
 *
 * @module
 */

import { loadByName } from '../core/discover.ts';
import { HarnessError } from '../core/errors.ts';
import { OPERATIONS_DIR, TOOLS_DIR } from '../core/paths.ts';
import { SeededRandom } from '../core/random.ts';
import type { CrossCheckFacts, OperationFacts } from '../measure/operation-facts.ts';
import { realClocks, type Clocks } from './clocks.ts';
import { loadImplementation } from './implementations.ts';
import type { Implementation, Operation } from './operation.ts';
import type { OperationSpec } from './spec.ts';
import { timeCalls } from './timing.ts';
import type { Tool } from './tool.ts';
import { outputsSum, Turns } from './turns.ts';

export interface MeasuredOperation {
  readonly operation?: OperationFacts;
  readonly crossCheck?: CrossCheckFacts;
}

/**
 * @throws HarnessError UNAVAILABLE, UNSUPPORTED or WRONG_RESULT: a wrong result is never a number.
 */
export async function runOperation(spec: OperationSpec): Promise<MeasuredOperation> {
  const operation = await loadByName<Operation>(OPERATIONS_DIR, spec.primitive, 'primitive');
  const implementation = await loadImplementation(spec.provider, operation.primitive);
  try {
    if (spec.against !== undefined) {
      const { crossCheck } = await import('./cross-check.ts');
      const tool = await loadByName<Tool>(TOOLS_DIR, spec.against, 'tool');
      return { crossCheck: await crossCheck(spec, operation, implementation, tool) };
    }
    return { operation: await measureOperation(spec, operation, implementation, realClocks) };
  } catch (error) {
    throw asHarnessError(error, spec);
  }
}

/** @param clocksFor Gives the clocks once it is known whose CPU is read. */
export async function measureOperation(
  spec: Pick<OperationSpec, 'bytes' | 'seed' | 'purpose' | 'warmupMs' | 'timedMs'>,
  operation: Operation,
  implementation: Implementation,
  clocksFor: (basis: OperationFacts['cpuBasis']) => Clocks,
): Promise<OperationFacts> {
  const { bytes, purpose, warmupMs, timedMs } = spec;
  const reason = operation.missing(implementation);
  if (reason !== undefined) throw new HarnessError('UNSUPPORTED', reason);
  const knownAnswers = await operation.prove(implementation);
  const prepared = await operation.prepare(implementation, bytes, new SeededRandom(spec.seed));
  const { awaited, calls, expected, comparable } = prepared;
  // WebCrypto computes on threads of its own, also where a call happens to be synchronous.
  const cpuBasis = implementation.kind === 'webcrypto' ? 'process' : 'thread';
  const turns = new Turns(prepared);
  const timed =
    purpose === 'verify'
      ? undefined
      : await timeCalls(turns, { warmupMs, timedMs, awaited }, clocksFor(cpuBasis));
  await turns.check(`${operation.name} by ${implementation.name}`);
  return {
    primitive: operation.name,
    bytes,
    version: implementation.version,
    source: sourceOf(operation, implementation),
    inputs: calls.length,
    outputs: comparable && expected !== undefined ? outputsSum(expected) : null,
    knownAnswers,
    awaited,
    cpuBasis,
    ...(timed === undefined ? {} : { timed }),
  };
}

function sourceOf({ primitive }: Operation, implementation: Implementation): string {
  if (implementation.kind === 'webcrypto') return 'library';
  return implementation.provider.sources[primitive];
}

/** WebCrypto says by its own error that it has no such algorithm. */
function asHarnessError(error: unknown, { primitive, provider }: OperationSpec): HarnessError {
  if (error instanceof HarnessError) return error;
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const [firstLine] = text.split('\n');
  if (error instanceof Error && error.name === 'NotSupportedError') {
    return new HarnessError('UNSUPPORTED', `${provider} has no ${primitive}: ${firstLine}`);
  }
  return new HarnessError('WRONG_RESULT', `${primitive} by ${provider} threw ${firstLine}`);
}
