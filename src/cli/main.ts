/**
 * From argv to a command to an exit status.
 *
 * Started by `bin.js`, which sees to the right Node.
 *
 * @module
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isatty } from 'node:tty';
import { listNames, loadByName } from '../core/discover.ts';
import { badInput, HarnessError } from '../core/errors.ts';
import { quoted } from '../core/json.ts';
import { nearest } from '../core/nearest.ts';
import { COMMANDS_DIR, PACKAGE_ROOT } from '../core/paths.ts';
import { endWithParent } from '../runner/lifeline.ts';
import { EXIT, type Command, type ExitStatus, type Output } from './command.ts';

const output: Output = {
  print: writerTo(process.stdout),
  note: writerTo(process.stderr),
  interactive: isatty(process.stderr.fd),
  printWidth: widthOf(process.stdout),
  noteWidth: widthOf(process.stderr),
};

// When bin.js is killed and cannot pass a signal on: as if it had.
endWithParent(() => process.kill(process.pid, 'SIGTERM'));

// Without this Node would exit with 1, which here means that a gate failed.
process.on('uncaughtException', (error) => process.exit(report(error)));
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = report(error);
}

async function main(args: readonly string[]): Promise<ExitStatus> {
  const [first, ...rest] = args;
  if (first === undefined) {
    output.note(await overview());
    return EXIT.badInput;
  }
  if (first === '--help' || first === '-h' || (first === 'help' && rest.length === 0)) {
    output.print(await overview());
    return EXIT.fine;
  }
  if (first === '--version') {
    output.print(`${await version()}\n`);
    return EXIT.fine;
  }
  const known = await listNames(COMMANDS_DIR);
  // `help run` is `run --help`.
  const [name, commandArgs] = first === 'help' ? [rest[0]!, ['--help']] : [first, rest];
  if (!known.includes(name)) {
    const similar = nearest(name, known);
    const hint = similar === undefined ? 'see "sealbench --help"' : `did you mean ${similar}?`;
    const what = name.startsWith('-') ? 'option' : 'command';
    throw badInput(`unknown ${what} ${quoted(name)}; ${hint}`);
  }
  const command = await loadByName<Command>(COMMANDS_DIR, name, 'command');
  return command.run(commandArgs, output);
}

async function overview(): Promise<string> {
  const names = await listNames(COMMANDS_DIR);
  const commands: Command[] = [];
  for (const name of names) commands.push(await loadByName(COMMANDS_DIR, name, 'command'));
  const width = Math.max(...names.map((name) => name.length));
  return [
    'Usage: sealbench COMMAND [options]',
    '',
    'Measures what each protection of a messaging pipeline costs, and who pays.',
    '',
    'Commands:',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'Each has a --help. Results go to stdout, progress and remarks to stderr.',
    'Exit status: 0 fine; 1 gate failed; 2 usage or bad input; 3 a cell failed;',
    '4 undecided or too noisy; 130 or 143 interrupted.',
    '',
    'Example:',
    '  sealbench run curated/ladder --budget quick',
    '',
  ].join('\n');
}

async function version(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(PACKAGE_ROOT, 'package.json'), 'utf8'));
  return (manifest as { version: string }).version;
}

function report(error: unknown): ExitStatus {
  if (error instanceof HarnessError) {
    output.note(`sealbench: ${error.message}\n`);
    return error.code === 'WRONG_RESULT' || error.code === 'NOT_WRITTEN'
      ? EXIT.failed
      : EXIT.badInput;
  }
  const message = error instanceof Error ? error.message : String(error);
  output.note(`sealbench: ${message}\nThis is a bug in sealbench. `);
  output.note(
    process.env['SEALBENCH_DEBUG'] === undefined
      ? 'Set SEALBENCH_DEBUG=1 to see where.\n'
      : `\n${error instanceof Error ? error.stack : ''}\n`,
  );
  return EXIT.failed;
}

/** A reader that went away, as `| head` does, is no mistake: what follows is dropped. */
function writerTo(stream: NodeJS.WriteStream): (text: string) => void {
  let open = true;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    open = false;
    if (error.code === 'EPIPE') return;
    process.exitCode = report(
      new HarnessError('NOT_WRITTEN', `cannot write the output: ${error.message}`),
    );
  });
  return (text) => {
    if (open) stream.write(text);
  };
}

/** Some terminals say 0 where they do not know. */
function widthOf({ columns }: NodeJS.WriteStream): number | undefined {
  return columns > 0 ? columns : undefined;
}
