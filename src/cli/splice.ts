/**
 * The block of a run, written into a document between its markers.
 *
 * @module
 */

import { writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { HarnessError } from '../core/errors.ts';
import { readTextFile, shownPath } from '../core/json.ts';
import { publishedBlock, spliceBlock, type PublishedBlock } from '../report/published.ts';
import type { Output } from './command.ts';
import type { Figures } from './figures.ts';

const DOCUMENT_BYTES_MAX = 16_777_216;

/**
 * @throws HarnessError BAD_INPUT for a run that is not finished and for a document without markers,
 *   NOT_WRITTEN where the document cannot be written.
 */
export async function spliceInto(
  file: string,
  directory: string,
  { manifest, records, summary }: Figures,
  output: Output,
): Promise<void> {
  const recorded = new Set(records.map(({ cell }) => cell));
  const folder = basename(resolve(directory));
  await writeBlock(file, publishedBlock(folder, manifest, recorded, summary), folder, output);
}

/** Replaces what stands between the markers of `block`. @throws HarnessError as `spliceInto`. */
export async function writeBlock(
  file: string,
  block: PublishedBlock,
  folder: string,
  output: Output,
): Promise<void> {
  const where = shownPath(file);
  const text = await readTextFile(file, DOCUMENT_BYTES_MAX);
  const spliced = spliceBlock(text, block, where);
  try {
    await writeFile(file, spliced);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    if (code === undefined) throw error;
    throw new HarnessError('NOT_WRITTEN', `${where} could not be written: ${code}`);
  }
  output.note(`${where}: the block ${block.name} is now that of ${folder}\n`);
}
