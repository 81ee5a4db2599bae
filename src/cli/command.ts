/**
 * A command is a value: its help, its parsing and its completion of mistakes come from one
 * description, and its `run` gets arguments that are already of the right type.
 *
 * @module
 */

import { parseArgs } from 'node:util';
import { badInput } from '../core/errors.ts';
import { printable, quoted } from '../core/json.ts';
import { nearest } from '../core/nearest.ts';

/** Exit statuses; each has one meaning. */
export const EXIT = {
  fine: 0,
  /** A gate failed, or a gated figure got worse. */
  gateFailed: 1,
  /** A command line or an input that cannot be used. */
  badInput: 2,
  /** A cell gave a wrong result or failed. */
  failed: 3,
  /** Undecided, invalid or too noisy to decide. */
  undecided: 4,
  interrupted: 130,
  terminated: 143,
} as const;
export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

interface Described {
  /** One line, no full stop. */
  readonly summary: string;
}
export type OptionDescription = Described &
  (
    | { readonly kind: 'flag' }
    | { readonly kind: 'text'; readonly placeholder: string }
    /** May be given several times. */
    | { readonly kind: 'list'; readonly placeholder: string }
    | { readonly kind: 'integer'; readonly min: number; readonly max: number }
    | { readonly kind: 'choice'; readonly values: readonly string[] }
  );

export interface PositionalDescription extends Described {
  /** As in the usage line, in capitals: `SUITE`. */
  readonly placeholder: string;
  /** Used when nothing is given; without it the positional must be given. */
  readonly default?: string;
}

/** What is not given is absent, so that a command can tell; flags are false and lists empty. */
type OptionValue<O extends OptionDescription> = O extends { kind: 'flag' }
  ? boolean
  : O extends { kind: 'integer' }
    ? number | undefined
    : O extends { kind: 'list' }
      ? readonly string[]
      : O extends { kind: 'choice'; values: readonly (infer Value)[] }
        ? Value | undefined
        : string | undefined;

type Positionals = Readonly<Record<string, PositionalDescription>>;
type Options = Readonly<Record<string, OptionDescription>>;

/** Where a command writes. */
export interface Output {
  /** Results, to stdout. */
  print(text: string): void;
  /** Progress and remarks, to stderr. */
  note(text: string): void;
  /** Whether stderr is a terminal, on which a line may be redrawn. */
  readonly interactive: boolean;
  /** Columns of the terminal that each goes to, if it is one. */
  readonly printWidth?: number | undefined;
  readonly noteWidth?: number | undefined;
}

export interface Invocation<P extends Positionals, O extends Options> {
  readonly positionals: { readonly [K in keyof P]: string };
  /** What follows the positionals; at least one where the command takes any. */
  readonly rest: readonly string[];
  readonly options: { readonly [K in keyof O]: OptionValue<O[K]> };
  readonly output: Output;
}

export interface CommandDescription<P extends Positionals, O extends Options> {
  readonly name: string;
  readonly summary: string;
  /** Further lines of help: what it does not say elsewhere. */
  readonly details?: string;
  /** In the order in which they are given. */
  readonly positionals: P;
  /** Set where any number of further arguments follow, at least one. */
  readonly rest?: Omit<PositionalDescription, 'default'>;
  readonly options: O;
  /** Complete command lines that work, without `sealbench`. */
  readonly examples: readonly string[];
  run(invocation: Invocation<P, O>): Promise<ExitStatus>;
}

/** What a file in `src/cli/commands/` exports as default. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly help: string;
  /** @throws HarnessError BAD_INPUT for arguments that cannot be used. */
  run(args: readonly string[], output: Output): Promise<ExitStatus>;
}

export function defineCommand<const P extends Positionals, const O extends Options>(
  description: CommandDescription<P, O>,
): Command {
  const { name, summary } = description;
  const help = helpText(description);
  return {
    name,
    summary,
    help,
    async run(args, output) {
      const parsed = parseArguments(description, args);
      if (parsed === 'help') {
        output.print(help);
        return EXIT.fine;
      }
      return description.run({ ...parsed, output });
    },
  };
}

/** The part of a description that says what arguments there are. */
type Syntax<P extends Positionals, O extends Options> = Pick<
  CommandDescription<P, O>,
  'name' | 'positionals' | 'options' | 'rest'
>;

/**
 * Arguments as values of their types; `help` where they ask for it.
 *
 * @throws HarnessError BAD_INPUT for arguments that cannot be used.
 */
export function parseArguments<const P extends Positionals, const O extends Options>(
  description: Syntax<P, O>,
  args: readonly string[],
): Pick<Invocation<P, O>, 'positionals' | 'options' | 'rest'> | 'help' {
  const { name, options } = description;
  const see = `see "sealbench ${name} --help"`;
  // Not `strict`: its messages advise how to write code. The tokens are judged here.
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      ...Object.fromEntries(
        Object.entries(options).map(([key, option]) => [
          key,
          { type: option.kind === 'flag' ? ('boolean' as const) : ('string' as const) },
        ]),
      ),
    },
  });
  if (tokens.some((token) => token.kind === 'option' && token.name === 'help')) return 'help';

  const values: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(options)) {
    if (option.kind === 'flag') values[key] = false;
    if (option.kind === 'list') values[key] = [];
  }
  const given: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') given.push(token.value);
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option === undefined) {
      const known = nearest(token.name, [...Object.keys(options), 'help']);
      const hint = known === undefined ? see : `did you mean --${known}?`;
      throw badInput(`${name}: unknown option ${printable(token.rawName)}; ${hint}`);
    }
    // An option in the place of a value; a negative number is a value, though a wrong one.
    const swallowed = token.inlineValue === false && /^-(?!\d+$)/.test(token.value ?? '');
    const text = swallowed ? undefined : token.value;
    const value = readOption(`${name}: ${token.rawName}`, option, text);
    const before = values[token.name];
    if (Array.isArray(before)) before.push(value);
    else if (before === undefined || before === false) values[token.name] = value;
    else throw badInput(`${name}: ${token.rawName} is given twice`);
  }
  const count = Object.keys(description.positionals).length;
  const rest = description.rest === undefined ? [] : given.splice(count);
  const positionals = readPositionals(description, given, see);
  if (description.rest !== undefined && rest.length === 0) {
    const { placeholder, summary } = description.rest;
    throw badInput(`${name}: expected ${placeholder} (${summary}), got nothing; ${see}`);
  }
  return { positionals, rest, options: values as Invocation<P, O>['options'] };
}

/** @param text What followed the option; undefined when nothing did. */
function readOption(
  where: string,
  option: OptionDescription,
  text: string | undefined,
): string | number | boolean {
  if (option.kind === 'flag') {
    if (text !== undefined) throw badInput(`${where} takes no value, got ${quoted(text)}`);
    return true;
  }
  const wanted = expectation(option);
  if (text === undefined || text === '') throw badInput(`${where} expected ${wanted}, got nothing`);
  switch (option.kind) {
    case 'integer':
      if (!/^-?\d+$/.test(text) || Number(text) < option.min || Number(text) > option.max) {
        throw badInput(`${where} expected ${wanted}, got ${quoted(text)}`);
      }
      return Number(text);
    case 'choice':
      if (!option.values.includes(text)) {
        throw badInput(`${where} expected ${wanted}, got ${quoted(text)}`);
      }
      break;
    case 'text':
    case 'list':
      break;
  }
  return text;
}

function expectation(option: Exclude<OptionDescription, { kind: 'flag' }>): string {
  if (option.kind === 'integer') return `an integer from ${option.min} to ${option.max}`;
  if (option.kind === 'choice') return `one of ${option.values.join(', ')}`;
  return option.placeholder;
}

function readPositionals<P extends Positionals, O extends Options>(
  { name, positionals }: Syntax<P, O>,
  given: readonly string[],
  see: string,
): Invocation<P, O>['positionals'] {
  const wanted = Object.entries(positionals);
  if (given.length > wanted.length) {
    const excess = given[wanted.length]!;
    const takes =
      wanted.length === 0
        ? 'no arguments'
        : wanted.map(([, positional]) => positional.placeholder).join(' ');
    throw badInput(`${name}: takes ${takes}, got also ${quoted(excess)}; ${see}`);
  }
  const values: Record<string, string> = {};
  wanted.forEach(([key, positional], index) => {
    const value = given[index] ?? positional.default;
    if (value === undefined || value === '') {
      throw badInput(
        `${name}: expected ${positional.placeholder} (${positional.summary}), got nothing; ${see}`,
      );
    }
    values[key] = value;
  });
  return values as Invocation<P, O>['positionals'];
}

function helpText<P extends Positionals, O extends Options>(
  description: CommandDescription<P, O>,
): string {
  const { name, summary, details, examples } = description;
  const positionals = Object.values(description.positionals);
  const usage = [
    `sealbench ${name}`,
    ...positionals.map(({ placeholder, default: byDefault }) =>
      byDefault === undefined ? placeholder : `[${placeholder}]`,
    ),
    ...(description.rest === undefined ? [] : [`${description.rest.placeholder}...`]),
    '[options]',
  ].join(' ');
  const rows: [string, string][] = positionals.map((positional) => [
    positional.placeholder,
    positional.default === undefined
      ? positional.summary
      : `${positional.summary} (default: ${positional.default})`,
  ]);
  if (description.rest !== undefined) {
    rows.push([`${description.rest.placeholder}...`, description.rest.summary]);
  }
  for (const [key, option] of Object.entries(description.options)) {
    rows.push([`--${key}${optionArgument(option)}`, option.summary]);
  }
  rows.push(['-h, --help', 'print this']);
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    `Usage: ${usage}`,
    '',
    `${summary}.`,
    ...(details === undefined ? [] : ['', details]),
    '',
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`),
    '',
    examples.length === 1 ? 'Example:' : 'Examples:',
    ...examples.map((example) => `  sealbench ${example}`),
    '',
  ].join('\n');
}

function optionArgument(option: OptionDescription): string {
  if (option.kind === 'flag') return '';
  if (option.kind === 'integer') return ' N';
  return ` ${option.kind === 'choice' ? option.values.join('|') : option.placeholder}`;
}
