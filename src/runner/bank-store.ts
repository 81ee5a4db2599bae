/**
 * The folder of a bank: `bank.json` says what is compared, `blocks.ndjson` has a line per block,
 * written as it ends.
 *
 * @module
 */

import {
  appendFileSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { badInput, HarnessError } from '../core/errors.ts';
import {
  canonicalJson,
  parseJson,
  readTextFile,
  requireShape,
  shownPath,
  unreadable,
} from '../core/json.ts';
import { RUNS_DIR } from '../core/paths.ts';
import { environmentSchema, gitSchema } from '../results/environment.ts';
import type { BankBlock, Calibration } from './bank-arms.ts';
import { FIGURES } from './bank-figures.ts';

const FORMAT = 3;
const MANIFEST_FILE = 'bank.json';
const BLOCKS_FILE = 'blocks.ndjson';
/** A line is some hundred bytes. */
const FILE_BYTES_MAX = 2 ** 26;

const count = z.int().nonnegative();

const calibrationSchema: z.ZodType<Calibration> = z.strictObject({
  extraCalls: z.number().positive(),
  blocks: z.int().min(2),
  added: z.number().positive(),
  low: z.number(),
  high: z.number(),
});

const manifestSchema = z.strictObject({
  format: z.literal(FORMAT),
  /** What comparisons are judged by. */
  figure: z.enum(FIGURES),
  /** Differences below are none that matter, as a share. */
  floor: z.number().min(0).max(1),
  comparisons: z.int().positive(),
  blocksPerComparison: z.int().min(2),
  seed: count,
  /** In the order in which they are declared: the first is what the others are compared with. */
  arms: z.array(z.strictObject({ name: z.string(), spec: z.record(z.string(), z.unknown()) })),
  /** What an extra call for each call costs, as a share of the CPU per message, found beforehand. */
  calibration: calibrationSchema,
  codeDigest: z.string(),
  git: gitSchema.nullable(),
  environment: environmentSchema,
  startedAt: z.string(),
  argv: z.array(z.string()),
});
export type BankManifest = z.infer<typeof manifestSchema>;

const blockSchema: z.ZodType<BankBlock> = z.strictObject({
  block: count,
  processes: z.array(
    z.strictObject({
      arm: z.string(),
      cpuNs: z.record(z.enum(FIGURES), z.number().positive()),
    }),
  ),
});

export interface OpenBank {
  readonly directory: string;
  readonly manifest: BankManifest;
  readonly blocks: readonly BankBlock[];
}

/**
 * Makes the folder of a new bank.
 *
 * @param directory New or empty; left out: results/runs/<UTC>-bank.
 */
export function createBank(directory: string | undefined, manifest: BankManifest): OpenBank {
  const utc = manifest.startedAt.replace(/[-:]|\.\d+/g, '');
  const folder = resolve(directory ?? join(RUNS_DIR, `${utc}-bank`));
  const where = shownPath(folder);
  let entries: string[];
  try {
    mkdirSync(folder, { recursive: true });
    entries = readdirSync(folder);
  } catch (error) {
    throw badInput(`${where} cannot hold a bank: ${messageOf(error)}; choose another folder`);
  }
  if (entries.length > 0) {
    throw badInput(
      `${where}: expected a new or empty folder, found files in it; choose another, or go on with ` +
        'an interrupted bank by --resume',
    );
  }
  written(join(folder, MANIFEST_FILE), () => {
    writeFileSync(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, undefined, 2)}\n`);
    writeFileSync(join(folder, BLOCKS_FILE), '');
  });
  return { directory: folder, manifest, blocks: [] };
}

/**
 * Reads a bank to go on with it or to judge it. A torn last line, which a killed process leaves, is
 * cut off.
 *
 * @throws HarnessError BAD_INPUT for a folder that holds none.
 */
export async function openBank(directory: string): Promise<OpenBank> {
  const folder = resolve(directory);
  const manifestFile = join(folder, MANIFEST_FILE);
  const where = shownPath(manifestFile);
  const json = parseJson(await readTextFile(manifestFile, FILE_BYTES_MAX), where);
  const manifest = requireShape(manifestSchema, json, where);
  const file = join(folder, BLOCKS_FILE);
  const text = await readTextFile(file, FILE_BYTES_MAX);
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) {
    try {
      truncateSync(file, Buffer.byteLength(whole));
    } catch (error) {
      throw unreadable(shownPath(file), error);
    }
  }
  const blocks = whole.split('\n').flatMap((line, index) => {
    if (line === '') return [];
    const at = `${shownPath(file)}:${index + 1}`;
    return [requireShape(blockSchema, parseJson(line, at), at)];
  });
  return { directory: folder, manifest, blocks };
}

/** Adds one line and waits until it is on disk. @throws HarnessError NOT_WRITTEN. */
export function appendBlock(directory: string, block: BankBlock): void {
  const file = join(directory, BLOCKS_FILE);
  written(file, () => {
    const descriptor = openSync(file, 'a');
    try {
      appendFileSync(descriptor, `${JSON.stringify(block)}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  });
}

/** Blocks of other work, code or machines do not belong into one bank. */
const SAME = [
  'figure',
  'floor',
  'comparisons',
  'blocksPerComparison',
  'seed',
  'arms',
  'codeDigest',
] as const satisfies readonly (keyof BankManifest)[];

/** @throws HarnessError BAD_INPUT naming what changed since the bank was begun. */
export function requireSameBank(directory: string, before: BankManifest, now: BankManifest): void {
  const differing: string[] = SAME.filter(
    (field) => canonicalJson(before[field]) !== canonicalJson(now[field]),
  );
  // A kernel reports a few pages of memory more or less after each start.
  const machine = ({ environment }: BankManifest): string =>
    canonicalJson({ ...environment, memoryBytes: 0 });
  if (machine(before) !== machine(now)) differing.push('environment');
  if (differing.length === 0) return;
  throw badInput(
    `${shownPath(directory)}: expected to go on with the same bank, but ${differing.join(', ')} ` +
      `of ${MANIFEST_FILE} changed since; begin a new one`,
  );
}

function written(file: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw new HarnessError('NOT_WRITTEN', `${shownPath(file)}: ${messageOf(error)}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
