/**
 * Figures in a document: blocks of Markdown between two markers, each rendered from one run, so
 * that no figure is typed by hand and a test can tell when one was.
 *
 * A block is named after the last part of its suite's name; a file may have several.
 *
 * @module
 */

import { badInput } from '../core/errors.ts';
import type { Manifest } from '../results/manifest.ts';
import { repeatingArguments } from './command-line.ts';
import { renderTopic, type Summary } from './summary.ts';
import { renderMarkdown, type Table } from './table.ts';
import { forMarkdown, forTerminal } from './text.ts';
import { verdictText } from './verdict.ts';

/** What stands between two markers of a document. */
export interface PublishedBlock {
  readonly name: string;
  /** With the line ends around it. */
  readonly content: string;
}

/** Of the block that holds a bank. */
export const BANK_BLOCK = 'bank';

/** `curated/ladder` to `ladder`. */
export function blockNameOf(suite: string): string {
  return suite.split('/').at(-1)!;
}

const openingMarker = (name: string): string => `<!-- sealbench:${name} -->`;
const closingMarker = (name: string): string => `<!-- /sealbench:${name} -->`;

/** Every block of a document, empty ones too. Markers stand on lines of their own. */
export function blocksIn(text: string): PublishedBlock[] {
  const pattern =
    /^<!-- sealbench:(?<name>[\w.-]+) -->(?<content>\n[\s\S]*?)^<!-- \/sealbench:\k<name> -->$/gm;
  return [...text.replaceAll('\r\n', '\n').matchAll(pattern)].map(({ groups }) => ({
    name: groups!['name']!,
    content: groups!['content']!,
  }));
}

/** The folder under results/published/, of a bank under results/banks/, that a block says it is from. */
export function runNamedIn({ content }: PublishedBlock): string | undefined {
  return /^(?:Run|Bank) `(?<run>[\w.-]+)`/m.exec(content)?.groups!['run'];
}

/**
 * @param where The document, for messages.
 * @throws HarnessError BAD_INPUT unless each of the two markers is there once, in order.
 */
export function spliceBlock(
  text: string,
  { name, content }: PublishedBlock,
  where: string,
): string {
  const lines = text.split('\n');
  const linesWith = (marker: string): number[] =>
    lines.flatMap((line, number) => (line.trimEnd() === marker ? [number] : []));
  const opening = linesWith(openingMarker(name));
  const closing = linesWith(closingMarker(name));
  if (opening.length !== 1 || closing.length !== 1 || opening[0]! > closing[0]!) {
    throw badInput(
      `${where}: expected the lines ${openingMarker(name)} and ${closingMarker(name)} once each, ` +
        'in this order; put them where the figures are to stand',
    );
  }
  return [
    ...lines.slice(0, opening[0]! + 1),
    ...content.split('\n').slice(1, -1),
    ...lines.slice(closing[0]),
  ].join('\n');
}

/**
 * What a run says in a document.
 *
 * @param folder The last part of the run's folder, under which it is to be kept.
 * @throws HarnessError BAD_INPUT for a run that is not finished, and for a folder of another name.
 */
export function publishedBlock(
  folder: string,
  manifest: Manifest,
  recordedCells: ReadonlySet<string>,
  summary: Summary,
): PublishedBlock {
  requireFolderName(folder);
  refuseUnfinished(folder, manifest, recordedCells);
  const { topics, precision, pipelines, analysis, besides = [] } = summary;
  const trust = { title: 'How far the figures can be trusted', sentences: precision };
  const shown = [summary.tables[0], ...besides];
  const others = summary.tables.filter((table) => !shown.includes(table));
  const parts = [
    `Run \`${folder}\` (\`results/published/${folder}\`) of ${dateOf(manifest)}, on ` +
      `${forMarkdown(machineOf(manifest))}. To repeat it:`,
    `\`\`\`sh\nnpm run -s sealbench -- ${forTerminal(repeatingArguments(manifest.argv))}\n\`\`\``,
    forMarkdown(`${summary.scope} ${verdictText(summary.judgement)}`),
    ...shown.map(tableText),
    ...[...topics, trust].map(renderTopic),
    ...foldedAway('The other tables', others.map(tableText).join('\n\n')),
    ...foldedAway('What each line is', pipelines.map(item).join('\n')),
    ...foldedAway('How to read it', analysis.map(item).join('\n')),
  ];
  return { name: blockNameOf(manifest.suite.name), content: `\n\n${parts.join('\n\n')}\n\n` };
}

/**
 * What a bank of comparisons says in a document.
 *
 * @param folder The last part of the bank's folder, under which it is to be kept.
 */
export function publishedBank(
  folder: string,
  manifest: Pick<Manifest, 'environment' | 'git' | 'startedAt'>,
  table: Table,
): PublishedBlock {
  requireFolderName(folder);
  const parts = [
    `Bank \`${folder}\` (\`results/banks/${folder}\`) of ${dateOf(manifest)}, on ` +
      `${forMarkdown(machineOf(manifest))}. To repeat it, and to judge this one again:`,
    '```sh\nnpm run -s sealbench -- bank\n' +
      `npm run -s sealbench -- bank --resume results/banks/${folder}\n\`\`\``,
    renderMarkdown(table).trimEnd(),
  ];
  return { name: BANK_BLOCK, content: `\n\n${parts.join('\n\n')}\n\n` };
}

function requireFolderName(folder: string): void {
  if (/^[\w.-]+$/.test(folder)) return;
  throw badInput(
    `${forTerminal(folder)}: expected a folder named by letters, digits, ".", "_" and "-", for ` +
      'the document names it; rename it',
  );
}

function refuseUnfinished(
  folder: string,
  { endedAt, interrupted, cells }: Manifest,
  recorded: ReadonlySet<string>,
): void {
  const missing = cells.filter((cell) => !recorded.has(cell));
  if (endedAt !== null && !interrupted && missing.length === 0) return;
  const what =
    endedAt === null || interrupted
      ? 'it was interrupted or still goes on'
      : `it has no record of ${missing[0]!}`;
  throw badInput(
    `${folder}: expected a finished run, but ${what}; finish it with sealbench run --resume`,
  );
}

function dateOf({ startedAt }: Pick<Manifest, 'startedAt'>): string {
  return startedAt.slice(0, 10);
}

const VIRTUALISED = {
  yes: 'a virtual machine',
  no: 'not a virtual machine',
  unknown: 'whether it is a virtual machine is unknown',
} as const;

/** "AMD EPYC, 2 cores, a virtual machine, Node 26.10.0 on linux x64". */
function machineOf({ environment, git }: Pick<Manifest, 'environment' | 'git'>): string {
  const { cpuModel, availableCores, virtualised, node, platform, architecture } = environment;
  return [
    cpuModel,
    `${availableCores} core${availableCores === 1 ? '' : 's'}`,
    VIRTUALISED[virtualised],
    `Node ${node} on ${platform} ${architecture}`,
    ...(git === null
      ? []
      : [`revision ${git.revision.slice(0, 7)}${git.dirty ? ' with uncommitted changes' : ''}`]),
  ].join(', ');
}

function tableText(table: Table): string {
  return renderMarkdown(table).trimEnd();
}

function item(text: string): string {
  return `- ${forMarkdown(text)}`;
}

/** Nothing where there is no text. */
function foldedAway(title: string, text: string): readonly string[] {
  if (text === '') return [];
  return [`<details><summary>${title}</summary>\n\n${text}\n\n</details>`];
}
