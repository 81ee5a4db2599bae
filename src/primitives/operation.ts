/**
 * The contract of an operation: one call of a primitive as suites name it, over any implementation.
 *
 * A file in `operations/` says how to draw inputs, how to bind one call to them and what published
 * answers it must reproduce. What is common stands here: proving an implementation, and preparing a
 * pool of calls that take turns, so that no call can be answered by the result of the one before.
 *
 * @module
 */

import { equalBytes } from '../core/bytes.ts';
import { HarnessError } from '../core/errors.ts';
import type { SeededRandom } from '../core/random.ts';
import type { PrimitiveName, Provider } from '../crypto/provider.ts';
import type { KnownAnswer } from './known-answers.ts';

/** An implementation that is ready to be called. */
export type Implementation = ProviderImplementation | WebCryptoImplementation;

export interface ProviderImplementation {
  readonly kind: 'provider';
  readonly name: string;
  readonly version: string;
  readonly provider: Provider;
}

/** The platform's `crypto`: asynchronous, its keys are CryptoKey handles. */
export interface WebCryptoImplementation {
  readonly kind: 'webcrypto';
  readonly name: string;
  readonly version: string;
  readonly webCrypto: WebCrypto;
}

export type WebCrypto = typeof globalThis.crypto;

/** What a file in `implementations/` exports as default: one that is no provider. */
export interface ImplementationModule {
  /** The file's name. */
  readonly name: string;
  readonly title: string;
  readonly licence: string;
  readonly caveats: readonly string[];
  /** @throws HarnessError with code UNAVAILABLE where this platform has none. */
  load(): Promise<Implementation>;
}

/** Does the work once; returns where its result stands until the next call. */
export type Call = () => Uint8Array;
export type AwaitedCall = () => Promise<Uint8Array>;

/** What a call gives is random: it is undone, or looked at, instead of compared. */
interface Randomised<Inputs> {
  /** Whether an implementation's is; where it is not, its outputs are known in advance. */
  readonly is: (implementation: Implementation) => boolean;
  /** Whether `output` is one that these inputs may give. */
  readonly confirm: (
    implementation: Implementation,
    inputs: Inputs,
    output: Uint8Array,
  ) => boolean | Promise<boolean>;
}

/** What a file in `operations/` gives to {@link defineOperation}. */
export interface OperationParts<Inputs> {
  /** The file's name; that of src/crypto/counting.ts where a provider's calls are counted. */
  readonly name: string;
  /** One line: what one call does. */
  readonly title: string;
  readonly primitive: PrimitiveName;
  /** What a cell's `bytes` counts, and its one value where there is one. */
  readonly length: {
    readonly of: string;
    readonly fixedBytes?: number;
    readonly bytesMax?: number;
  };
  readonly known: readonly KnownAnswer<Inputs>[];
  readonly randomised?: Randomised<Inputs>;
  /** Whether what is set up while binding is random, as a ciphertext to be opened may be. */
  readonly setUpIsRandom?: (implementation: Implementation) => boolean;
  /** How many different inputs take turns: few where making one costs much. */
  readonly inputsMax?: number;
  draw(random: SeededRandom, bytes: number): Inputs;
  /** Of what a call writes into `out`. */
  outputBytes(inputs: Inputs): number;
  /** Sets up, untimed: imports long-lived keys, seals what is to be opened. */
  bind(provider: Provider, inputs: Inputs, out: Uint8Array): Call;
  readonly webCrypto: WebCryptoBinding<Inputs>;
}

/** How WebCrypto does it, or why it does not. */
type WebCryptoBinding<Inputs> =
  | { readonly awaited: true; bind(crypto: WebCrypto, inputs: Inputs): Promise<AwaitedCall> }
  | { readonly awaited: false; bind(crypto: WebCrypto, inputs: Inputs, out: Uint8Array): Call }
  | { readonly missing: string };

/** Calls that take turns. */
export type Prepared = PreparedCalls & {
  /** What {@link fold} makes of each call's output; undefined where outputs are random. */
  readonly expected: Int32Array | undefined;
  /** Whether every implementation must have the same `expected`. */
  readonly comparable: boolean;
  /** @param at Of the last call that was made. */
  readonly confirm: (at: number, output: Uint8Array) => Promise<boolean>;
};
type PreparedCalls =
  | { readonly awaited: false; readonly calls: readonly Call[] }
  | { readonly awaited: true; readonly calls: readonly AwaitedCall[] };

/** An operation as found by its name. */
export interface Operation {
  readonly name: string;
  readonly title: string;
  readonly primitive: PrimitiveName;
  readonly length: OperationParts<unknown>['length'];
  /** Why `implementation` has none, in a sentence; undefined where it has. */
  missing(implementation: Implementation): string | undefined;
  /**
   * Reproduces every published answer.
   *
   * @returns How many there were; 0 for `null`, which computes nothing.
   * @throws HarnessError WRONG_RESULT.
   */
  prove(implementation: Implementation): Promise<number>;
  /** @throws HarnessError WRONG_RESULT when a call gives another result the second time. */
  prepare(implementation: Implementation, bytes: number, random: SeededRandom): Promise<Prepared>;
}

/** Inputs and outputs of a pool stay in a core's second-level cache together with all else. */
const POOL_BYTES_MAX = 131_072;
const INPUTS_MAX = 32;
/** One alone could be answered from the call before. */
const INPUTS_MIN = 2;

export function defineOperation<Inputs>(parts: OperationParts<Inputs>): Operation {
  const { name, title, primitive, length } = parts;
  return {
    name,
    title,
    primitive,
    length,
    missing: (implementation) => missing(parts, implementation),
    prove: (implementation) => prove(parts, implementation),
    prepare: (implementation, bytes, random) => prepare(parts, implementation, bytes, random),
  };
}

/**
 * Three bytes of an output, in its first, middle and last place, as 32 bits: enough to tell the
 * outputs of a pool apart, at a cost of some ns whatever the length. They are mixed, as the finaliser
 * of MurmurHash3 does, so that in a sum two wrong outputs do not make up for each other.
 */
export function fold(output: Uint8Array): number {
  const last = output.length - 1;
  const bytes = output[0]! | (output[last >> 1]! << 8) | (output[last]! << 16);
  const mixed = Math.imul(bytes, 0x85ebca6b);
  return Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
}

/** A wrong result of an implementation; it becomes an error row. */
export function wrongResult(message: string): HarnessError {
  return new HarnessError('WRONG_RESULT', message);
}

function missing<Inputs>(
  { primitive, webCrypto }: OperationParts<Inputs>,
  implementation: Implementation,
): string | undefined {
  if (implementation.kind === 'webcrypto') {
    return 'missing' in webCrypto ? `${implementation.name}: ${webCrypto.missing}` : undefined;
  }
  return implementation.provider.sources[primitive] === 'none'
    ? `${implementation.name} has no ${primitive}`
    : undefined;
}

async function prove<Inputs>(
  parts: OperationParts<Inputs>,
  implementation: Implementation,
): Promise<number> {
  // It computes nothing, on purpose: it is the floor.
  if (implementation.name === 'null') return 0;
  const { randomised } = parts;
  const isRandom = randomised?.is(implementation) === true;
  for (const { source, inputs, output } of parts.known) {
    const call = await bind(parts, implementation, inputs, roomFor(parts, inputs));
    const given = await call();
    const isRight =
      output === undefined || isRandom
        ? (await randomised?.confirm(implementation, inputs, given)) === true
        : equalBytes(given, output);
    if (!isRight) {
      throw wrongResult(
        `${implementation.name} does not reproduce ${source} with ${parts.name}: it was not timed`,
      );
    }
  }
  return parts.known.length;
}

async function prepare<Inputs>(
  parts: OperationParts<Inputs>,
  implementation: Implementation,
  bytes: number,
  random: SeededRandom,
): Promise<Prepared> {
  const { randomised } = parts;
  const fitting = Math.floor(POOL_BYTES_MAX / Math.max(1, bytes));
  const most = Math.min(parts.inputsMax ?? INPUTS_MAX, fitting);
  const inputs = Array.from({ length: Math.max(INPUTS_MIN, most) }, () =>
    parts.draw(random, bytes),
  );
  // One buffer for all: a call that writes nothing leaves the result of another input.
  const out = roomFor(parts, inputs[0]!);
  const calls: (Call | AwaitedCall)[] = [];
  for (const one of inputs) calls.push(await bind(parts, implementation, one, out));
  const confirm: Prepared['confirm'] = async (at, output) => {
    if (randomised === undefined) return true;
    return randomised.confirm(implementation, inputs[at]!, output);
  };
  const isRandom = randomised?.is(implementation) === true;
  const expected = isRandom ? undefined : await outputsOf(parts.name, implementation, calls);
  const comparable = expected !== undefined && parts.setUpIsRandom?.(implementation) !== true;
  const common = { expected, comparable, confirm };
  return implementation.kind === 'webcrypto' && isAwaited(parts)
    ? { ...common, awaited: true, calls: calls as AwaitedCall[] }
    : { ...common, awaited: false, calls: calls as Call[] };
}

/** Each input in turn, twice: the same every time, and not the same for all. */
async function outputsOf(
  name: string,
  implementation: Implementation,
  calls: readonly (Call | AwaitedCall)[],
): Promise<Int32Array> {
  const expected = new Int32Array(calls.length);
  for (const [at, call] of calls.entries()) expected[at] = fold(await call());
  for (const [at, call] of calls.entries()) {
    if (fold(await call()) === expected[at]) continue;
    throw wrongResult(`${implementation.name} gives two results for the same ${name}`);
  }
  return expected;
}

function isAwaited<Inputs>({ webCrypto }: OperationParts<Inputs>): boolean {
  return 'awaited' in webCrypto && webCrypto.awaited;
}

async function bind<Inputs>(
  parts: OperationParts<Inputs>,
  implementation: Implementation,
  inputs: Inputs,
  out: Uint8Array,
): Promise<Call | AwaitedCall> {
  const reason = missing(parts, implementation);
  if (reason !== undefined) throw new HarnessError('UNSUPPORTED', reason);
  if (implementation.kind === 'provider') return parts.bind(implementation.provider, inputs, out);
  const { webCrypto } = parts;
  if ('missing' in webCrypto) throw new HarnessError('UNSUPPORTED', webCrypto.missing);
  return webCrypto.bind(implementation.webCrypto, inputs, out);
}

/** Filled with what no output is likely to be, so that a call that writes nothing is seen. */
function roomFor<Inputs>(parts: OperationParts<Inputs>, inputs: Inputs): Uint8Array {
  return new Uint8Array(parts.outputBytes(inputs)).fill(0xa5);
}
