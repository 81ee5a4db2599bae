/**
 * Command lines that a reader can type to have a run, or one cell of it, again or to go on with it.
 *
 * @module
 */

/** What a run was asked for; what it did not name is left out, and lists are then empty. */
export interface RunRequest {
  /** A name under suites/ or the path of a file. */
  readonly suite: string;
  readonly budget: string;
  readonly seed: number;
  /** A regular expression over names of cells. */
  readonly filter?: string | undefined;
  readonly repeats?: number | undefined;
  readonly threads?: number | undefined;
  /** As given: `2%`. */
  readonly until?: string | undefined;
  readonly provider: readonly string[];
  readonly pipeline: readonly string[];
  readonly workload: readonly string[];
}

/** The arguments that ask for it, without `sealbench`. */
export function runArguments(request: RunRequest): string[] {
  const { suite, budget, seed, filter, repeats, threads, until } = request;
  return [
    'run',
    suite,
    ...option('filter', filter),
    ...option('budget', budget),
    ...option('seed', seed),
    ...option('repeats', repeats),
    ...option('threads', threads),
    ...option('until', until),
    ...request.provider.flatMap((name) => option('provider', name)),
    ...request.pipeline.flatMap((name) => option('pipeline', name)),
    ...request.workload.flatMap((name) => option('workload', name)),
  ];
}

/**
 * The arguments that measure one cell of a run again, with the same inputs: seeds do not depend on
 * the other cells. What the run was given in place of parts of its suite is kept, so that the suite
 * has the same digest.
 *
 * @param repeats How many the cell had.
 */
export function cellArguments(
  request: RunRequest,
  { cell, threads }: { readonly cell: string; readonly threads: number },
  repeats: number,
): string[] {
  const filter = `^${escaped(cell)}$`;
  return runArguments({ ...request, filter, repeats, threads, until: undefined });
}

/** The arguments of a run without what concerned its folder and its profile, and then `more`. */
export function repeatingArguments(argv: readonly string[], more: readonly string[] = []): string {
  const kept = argv.filter((argument, index) => {
    const isOther = /^--(?:out|resume|profile)(?:=|$)/.test(argument);
    const isValue = index > 0 && /^--(?:out|resume|profile)$/.test(argv[index - 1]!);
    return !isOther && !isValue;
  });
  return quoteArguments([...kept, ...more]);
}

/** For a POSIX shell. */
export function quoteArguments(argv: readonly string[]): string {
  return argv.map(quoteArgument).join(' ');
}

function quoteArgument(argument: string): string {
  if (/^[\w./:=,@%+-]+$/.test(argument)) return argument;
  return `'${argument.replaceAll("'", String.raw`'\''`)}'`;
}

/** A value that begins like an option is joined to its own, or it would be taken for one. */
function option(name: string, value: string | number | undefined): string[] {
  if (value === undefined) return [];
  const text = String(value);
  return text.startsWith('-') ? [`--${name}=${text}`] : [`--${name}`, text];
}

/** As a regular expression that matches the text only. */
function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}
