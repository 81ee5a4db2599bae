/**
 * Command lines that a reader can type to have a run again or to go on with it.
 *
 * @module
 */

/** The arguments of a run without the folder that its results went to, and then `more`. */
export function repeatingArguments(argv: readonly string[], more: readonly string[] = []): string {
  const kept = argv.filter((argument, index) => {
    const isFolder = /^--(?:out|resume)(?:=|$)/;
    const isValue = index > 0 && /^--(?:out|resume)$/.test(argv[index - 1]!);
    return !isFolder.test(argument) && !isValue;
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
