/**
 * All that is printed of a run: its tables, its sentences and how far they can be trusted; as text
 * for a terminal and as Markdown.
 *
 * @module
 */

import type { CellResult } from './cells.ts';
import { escrowTables } from './escrow.ts';
import { guessPriceTables } from './guess-price.ts';
import { memoryTable } from './memory-slopes.ts';
import { countOf } from './wording.ts';
import { inRungOrder, plainName, threadsText, type PipelineNote } from './pairing.ts';
import { precisionNotes } from './precision.ts';
import { responseTable } from './response-times.ts';
import { libraryText, rivalsTable } from './rivals.ts';
import { saturationTable } from './saturation.ts';
import type { Overhead } from './overhead.ts';
import { scaleTables, scaleTopics } from './scale.ts';
import { topicsOf, type Topic } from './sentences.ts';
import {
  renderMarkdown,
  renderParagraph,
  renderTable,
  type Table,
  type Terminal,
} from './table.ts';
import { bytesTable, indexTable, latencyTable, messageTable, openingTable } from './tables.ts';
import { forMarkdown } from './text.ts';
import { judgeRun, verdictText, type Judgement } from './verdict.ts';

export interface SummaryInput {
  readonly suite: {
    readonly title: string;
    readonly question: string;
    readonly analysis: readonly string[];
    /** The pipeline, with its options, that ratios refer to. */
    readonly baseline?: string | undefined;
  };
  readonly cells: readonly CellResult[];
  readonly pipelines: readonly PipelineNote[];
  readonly overhead?: Overhead | undefined;
}

export interface Summary {
  readonly title: string;
  readonly question: string;
  /** What all cells share, in one line. */
  readonly scope: string;
  /** Whether all that follows can be believed. */
  readonly judgement: Judgement;
  /** The first is that of CPU per message, or of what else the run is about. */
  readonly tables: readonly [Table, ...Table[]];
  /** Those of them that a document shows besides the first. */
  readonly besides?: readonly Table[];
  readonly topics: readonly Topic[];
  /** How far the figures can be trusted. */
  readonly precision: readonly string[];
  /** Each pipeline in the tables: what it is, and its caveats. */
  readonly pipelines: readonly string[];
  /** How the suite wants to be read. */
  readonly analysis: readonly string[];
}

/** Narrow enough to be read and to be pasted; used where the width of the terminal is unknown. */
const USUAL_WIDTH = 120;

export function summaryOf({ suite, cells, pipelines, overhead }: SummaryInput): Summary {
  const { title, question, analysis, baseline } = suite;
  const ordered = inRungOrder(cells, pipelines);
  const others = [openingTable, bytesTable, latencyTable, indexTable, memoryTable].map((make) =>
    make(ordered),
  );
  const besides = [
    rivalsTable(ordered, pipelines),
    ...escrowTables(ordered, pipelines),
    ...guessPriceTables(ordered),
    ...scaleTables(ordered),
  ].filter(hasRows);
  return {
    title,
    question,
    scope: scopeOf(ordered),
    judgement: judgeRun(ordered),
    tables: [...firstTables(ordered, baseline), ...besides, ...others.filter(hasRows)],
    besides,
    topics: [...topicsOf({ cells: ordered, pipelines, baseline }), ...scaleTopics(ordered)],
    precision: precisionNotes({ cells: ordered, baseline, overhead }),
    pipelines: pipelineNotes(ordered, pipelines),
    analysis,
  };
}

/** That of CPU per message and those of open loops, which have none; at least one. */
function firstTables(
  cells: readonly CellResult[],
  baseline: string | undefined,
): [Table, ...Table[]] {
  const closed = cells.filter(({ load }) => load === 'closed');
  const [first, ...more] = [saturationTable(cells, baseline), responseTable(cells)].filter(hasRows);
  if (first === undefined) return [messageTable(cells, baseline)];
  return closed.length === 0 ? [first, ...more] : [messageTable(closed, baseline), first, ...more];
}

function hasRows({ rows }: Table): boolean {
  return rows.length > 0;
}

/** Plain text; ends with a line end. */
export function renderSummary(summary: Summary, terminal: Terminal = {}): string {
  const { width = USUAL_WIDTH } = terminal;
  const { title, question, scope, judgement, tables } = summary;
  const head = [title, question, scope, verdictText(judgement)]
    .filter((text) => text !== '')
    .map((text) => renderParagraph(text, width));
  const parts = [
    head.join('\n'),
    ...tables.map((table) => renderTable(table, { ...terminal, width }).trimEnd()),
    ...listsOf(summary).map(({ title: heading, sentences }) =>
      [heading, ...sentences.map((text) => renderParagraph(`- ${text}`, width))].join('\n'),
    ),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** Markdown, headings as bold lines so that it fits under any heading; ends with a line end. */
export function renderSummaryMarkdown(summary: Summary): string {
  const { title, question, scope, judgement, tables } = summary;
  const texts = [question, scope, verdictText(judgement)];
  const head = [`**${forMarkdown(title)}**`, ...texts.map(forMarkdown)];
  const parts = [
    ...head.filter((text) => text !== ''),
    ...tables.map((table) => renderMarkdown(table).trimEnd()),
    ...listsOf(summary).map(renderTopic),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** A bold line and a list; ends without a line end. */
export function renderTopic({ title, sentences }: Topic): string {
  const items = sentences.map((text) => `- ${forMarkdown(text)}`);
  return `**${forMarkdown(title)}**\n\n${items.join('\n')}`;
}

/** What follows the tables. */
function listsOf({ topics, precision, pipelines, analysis }: Summary): Topic[] {
  return [
    ...topics,
    { title: 'How far the figures can be trusted', sentences: precision },
    { title: 'What each line is', sentences: pipelines },
    { title: 'How to read it', sentences: analysis },
  ].filter(({ sentences }) => sentences.length > 0);
}

/** "14 cells: native, chat:sessions=200, 1 thread."; what differs is counted instead. */
function scopeOf(cells: readonly CellResult[]): string {
  if (cells.length === 0) return '';
  const part = (of: (cell: CellResult) => string, what: string): string => {
    const kinds = new Set(cells.map(of));
    return kinds.size === 1 ? [...kinds].join('') : countOf(kinds.size, what);
  };
  const parts = [
    part(({ implementation }) => implementation, 'implementation'),
    part(({ workload }) => workload, 'workload'),
    part(threadsText, 'thread count'),
  ];
  return `${countOf(cells.length, 'cell')}: ${parts.join(', ')}.`;
}

/** Title and caveats of every pipeline in the tables, each once. */
function pipelineNotes(cells: readonly CellResult[], pipelines: readonly PipelineNote[]): string[] {
  const names = new Set(cells.map(({ pipeline }) => plainName(pipeline)));
  return [...names].flatMap((name) => {
    const note = pipelines.find((pipeline) => pipeline.name === name);
    if (note === undefined) return [];
    const texts = [...note.caveats.map(sentence), ...libraryText(note)];
    return [[`${name}: ${sentence(note.title)}`, ...texts].join(' ')];
  });
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
