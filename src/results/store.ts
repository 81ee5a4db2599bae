/**
 * The run folder: `manifest.json` and `cells.ndjson`, written as a run goes on and read back.
 *
 * A line counts once its line feed is on disk. A process that dies while it writes leaves a torn
 * last line, which readers ignore and say so; all lines before it stay valid.
 *
 * A run that is kept for good may hold `cells.ndjson.gz` instead. It is read like the other, within
 * the same limits, and never written.
 *
 * @module
 */

import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  truncateSync,
  type ReadStream,
  writeFileSync,
} from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { StringDecoder } from 'node:string_decoder';
import { createGunzip } from 'node:zlib';
import { badInput, HarnessError } from '../core/errors.ts';
import {
  badFile,
  checkShape,
  found,
  parseJson,
  quoted,
  readTextFile,
  requireShape,
  shownPath,
  unreadable,
} from '../core/json.ts';
import { RUNS_DIR } from '../core/paths.ts';
import { manifestSchema, type Manifest } from './manifest.ts';
import { FORMAT, repeatRecord, type RepeatRecord } from './record.ts';

const MANIFEST_FILE = 'manifest.json';
const CELLS_FILE = 'cells.ndjson';
const COMPRESSED_FILE = `${CELLS_FILE}.gz`;
const MANIFEST_BYTES_MAX = 16_777_216;
const LINE_BYTES_MAX = 67_108_864;
const LINES_MAX = 1_000_000;
const PROBLEMS_MAX = 10;
/** Runs that start within the same second of the same revision. */
const TWINS_MAX = 1_000;

/** What is only known when a run ends. */
export type ManifestChanges = Partial<
  Pick<Manifest, 'endedAt' | 'interrupted' | 'calibration' | 'environment'>
>;

/** A run that is being written. Holds no open file. */
export class Run {
  readonly directory: string;
  #manifest: Manifest;
  /** Set by the first failed append: nothing may follow a torn line. */
  #failure: HarnessError | undefined;

  constructor(directory: string, manifest: Manifest) {
    this.directory = directory;
    this.#manifest = manifest;
  }

  get manifest(): Manifest {
    return this.#manifest;
  }

  /**
   * Adds one line and waits until it is on disk. Synchronous, so that nothing comes between.
   *
   * @throws HarnessError NOT_WRITTEN; what was written before stays valid.
   * @throws TypeError when the record is not what readers accept: a bug of ours.
   */
  append(record: RepeatRecord): void {
    if (this.#failure !== undefined) throw this.#failure;
    const line = `${JSON.stringify(record)}\n`;
    // Not the record itself: JSON turns NaN into null, and only what is read back counts.
    const { problems } = checkShape(repeatRecord, JSON.parse(line));
    if (problems !== undefined) {
      throw new TypeError(`"record" expected a valid record, got ${problems[0]}`);
    }
    if (!this.#manifest.cells.includes(record.cell)) {
      throw new TypeError(`"record" expected a planned cell, got ${quoted(record.cell)}`);
    }
    if (Buffer.byteLength(line) > LINE_BYTES_MAX) {
      throw new TypeError(`"record" expected at most ${LINE_BYTES_MAX} bytes, got ${line.length}`);
    }
    const file = join(this.directory, CELLS_FILE);
    try {
      writeToDisk(file, line, 'a');
    } catch (error) {
      this.#failure = notWritten(file, error);
      throw this.#failure;
    }
  }

  /** Replaces manifest.json as a whole. @throws HarnessError NOT_WRITTEN. */
  finish(changes: ManifestChanges): void {
    this.#manifest = { ...this.#manifest, ...changes };
    writeManifest(this.directory, this.#manifest);
  }
}

/**
 * Makes the folder of a new run. Nothing is ever overwritten.
 *
 * @param directory Must be new or empty. Left out: results/runs/<UTC>-<git>, or the next free one.
 */
export function createRun(directory: string | undefined, manifest: Manifest): Run {
  const folder = directory === undefined ? claimFolder(manifest) : claimGiven(directory);
  const file = join(folder, CELLS_FILE);
  try {
    writeToDisk(file, '', 'wx');
  } catch (error) {
    throw notWritten(file, error);
  }
  writeManifest(folder, manifest);
  return new Run(folder, manifest);
}

function claimFolder({ startedAt, git }: Manifest): string {
  const utc = startedAt.replace(/[-:]|\.\d+/g, '');
  const name = join(RUNS_DIR, `${utc}-${git === null ? 'nogit' : git.revision.slice(0, 7)}`);
  try {
    mkdirSync(RUNS_DIR, { recursive: true });
    for (let twin = 1; twin <= TWINS_MAX; twin++) {
      const folder = twin === 1 ? name : `${name}-${twin}`;
      try {
        mkdirSync(folder);
        return folder;
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
    }
  } catch (error) {
    throw notWritten(name, error);
  }
  throw new HarnessError('NOT_WRITTEN', `${shownPath(name)}: expected a free name, found none`);
}

/** As `recursive` does, which loops for ever where a folder exists and takes no entries: /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder);
}

function claimGiven(directory: string): string {
  const folder = resolve(directory);
  let entries: string[];
  try {
    makeFolder(folder);
    entries = readdirSync(folder);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    throw badInput(
      `${shownPath(folder)} cannot hold a run: ${code === 'ENOENT' ? 'no folder can be made there; choose another' : (ADVICE[code] ?? code)}`,
    );
  }
  if (entries.length > 0) {
    throw badInput(
      `${shownPath(folder)}: expected a new or empty folder, found files in it; ` +
        'choose another, or go on with an interrupted run by --resume',
    );
  }
  return folder;
}

/** Readers see the old manifest or the new one, never half of one. */
function writeManifest(folder: string, manifest: Manifest): void {
  const { problems } = checkShape(manifestSchema, manifest);
  if (problems !== undefined) {
    throw new TypeError(`"manifest" expected a valid manifest, got ${problems[0]}`);
  }
  const file = join(folder, MANIFEST_FILE);
  const draft = `${file}.tmp`;
  try {
    writeToDisk(draft, `${JSON.stringify(manifest, undefined, 2)}\n`, 'w');
    renameSync(draft, file);
  } catch (error) {
    throw notWritten(file, error);
  }
}

function writeToDisk(file: string, text: string, flag: 'a' | 'w' | 'wx'): void {
  const descriptor = openSync(file, flag);
  try {
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

export const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space',
  EDQUOT: "the user's quota is used up; free some space",
  EFBIG: 'a limit on the size of files is reached; raise it (ulimit -f)',
  EROFS: 'the file system is read-only; choose another folder',
  EACCES: 'its permissions forbid it; choose another folder',
  EPERM: 'its permissions forbid it; choose another folder',
  ENOENT: 'the folder is gone; leave it in place while a run goes on',
  ENOTDIR: 'a part of the path is a file; choose another folder',
  EEXIST: 'something of that name is there; choose another folder',
  EISDIR: 'a folder is in its place; choose another folder',
};

function notWritten(file: string, error: unknown): HarnessError {
  const code = codeOf(error);
  if (code === undefined) throw error;
  const advice = ADVICE[code] ?? code;
  const message = `${shownPath(file)} could not be written: ${advice}; what was written before is kept`;
  return new HarnessError('NOT_WRITTEN', message);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

export interface ReadRun {
  readonly manifest: Manifest;
  /** In the order of the file; of a repeat that was run again only the last. */
  readonly records: readonly RepeatRecord[];
  /** What a reader should know, in sentences. */
  readonly warnings: readonly string[];
}

/** @throws HarnessError BAD_INPUT naming every line that cannot be used. */
export async function readRun(directory: string): Promise<ReadRun> {
  const { manifest, records, warnings } = await readFolder(directory);
  return { manifest, records, warnings };
}

export interface ResumedRun {
  readonly run: Run;
  /** Keys, by {@link repeatKey}, of the repeats that need not be run again: those that were ok. */
  readonly finished: ReadonlySet<string>;
  readonly warnings: readonly string[];
}

export function repeatKey(cell: string, repeat: number): string {
  return `${cell}#${repeat}`;
}

/** Reads an interrupted run, cuts off a torn last line and goes on writing it. */
export async function resumeRun(directory: string): Promise<ResumedRun> {
  const { manifest, records, warnings, wholeBytes, torn, compressed } = await readFolder(directory);
  if (compressed) {
    throw badInput(
      `${shownPath(directory)}: expected ${CELLS_FILE} to go on with, found ${COMPRESSED_FILE}: ` +
        'a run that is kept for good; start a new one',
    );
  }
  const folder = resolve(directory);
  if (torn) {
    const file = join(folder, CELLS_FILE);
    try {
      truncateSync(file, wholeBytes);
    } catch (error) {
      throw notWritten(file, error);
    }
  }
  const done = records.filter((record) => record.status === 'ok');
  const finished = new Set(done.map((record) => repeatKey(record.cell, record.repeat)));
  return { run: new Run(folder, manifest), finished, warnings };
}

interface ReadFolder extends ReadRun {
  /** Length of the file without a torn last line. */
  readonly wholeBytes: number;
  readonly torn: boolean;
  readonly compressed: boolean;
}

async function readFolder(directory: string): Promise<ReadFolder> {
  const facts = await stat(directory).catch((error: unknown) => {
    throw codeOf(error) === 'ENOENT'
      ? badInput(`${shownPath(directory)}: expected the folder of a run, found nothing`)
      : unreadable(shownPath(directory), error);
  });
  if (!facts.isDirectory()) {
    throw badInput(`${shownPath(directory)}: expected the folder of a run, found a file`);
  }
  const manifest = await readManifest(join(directory, MANIFEST_FILE));
  const compressed =
    !(await exists(join(directory, CELLS_FILE))) &&
    (await exists(join(directory, COMPRESSED_FILE)));
  const file = join(directory, compressed ? COMPRESSED_FILE : CELLS_FILE);
  const where = shownPath(file);
  const planned = new Set(manifest.cells);
  const byRepeat = new Map<string, { record: RepeatRecord; line: number }>();
  const problems: string[] = [];
  const warnings: string[] = [];
  let wholeBytes = 0;
  let again = 0;
  let torn = false;
  let number = 0;
  for await (const line of readLines(file, compressed)) {
    number += 1;
    const at = `${where}:${number}`;
    if (!line.whole) {
      torn = true;
      warnings.push(`${at}: the last line is torn and was ignored: its writer was cut off`);
      break;
    }
    if (number > LINES_MAX) throw badInput(`${where}: expected at most ${LINES_MAX} lines`);
    wholeBytes += line.bytes;
    try {
      const record = parseRecord(line.text, at, planned);
      const key = repeatKey(record.cell, record.repeat);
      const before = byRepeat.get(key);
      if (before?.record.status === 'ok') {
        throw badInput(
          `${at}: expected each repeat once, found repeat ${record.repeat} of ` +
            `${record.cell} also at line ${before.line}`,
        );
      }
      if (before !== undefined) again += 1;
      byRepeat.delete(key);
      byRepeat.set(key, { record, line: number });
    } catch (error) {
      if (!(error instanceof HarnessError)) throw error;
      problems.push(error.message);
      if (problems.length >= PROBLEMS_MAX) break;
    }
  }
  if (problems.length > 0) throw badInput(problems.join('\n'));
  if (again > 0) {
    warnings.push(
      `${where}: ${again} ${again === 1 ? 'repeat that was' : 'repeats that were'} not ok and run ` +
        'again; only the last of each counts',
    );
  }
  const records = [...byRepeat.values()].map(({ record }) => record);
  return { manifest, records, warnings, wholeBytes, torn, compressed };
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

async function readManifest(file: string): Promise<Manifest> {
  const where = shownPath(file);
  const json = parseJson(await readTextFile(file, MANIFEST_BYTES_MAX), where);
  checkFormat(json, where);
  return requireShape(manifestSchema, json, where);
}

function parseRecord(text: string, at: string, planned: ReadonlySet<string>): RepeatRecord {
  const json = parseJson(text, at);
  checkFormat(json, at);
  const record = requireShape(repeatRecord, json, at);
  if (!planned.has(record.cell)) {
    throw badFile(at, [
      `cell: expected one of the cells in ${MANIFEST_FILE}, found ${quoted(record.cell)}`,
    ]);
  }
  return record;
}

/** Before the shape: of another format nothing else can be said. */
function checkFormat(json: unknown, where: string): void {
  const isObject = typeof json === 'object' && json !== null;
  const format = isObject && 'format' in json ? json.format : undefined;
  if (format === FORMAT) return;
  if (typeof format !== 'number') {
    throw badInput(`${where}: format: expected ${FORMAT}, found ${found(format)}`);
  }
  const age = format > FORMAT ? 'a newer' : 'an older';
  throw badInput(
    `${where}: format: expected ${FORMAT}, found ${format}; ${age} version of sealbench wrote it, ` +
      'use that version to read it',
  );
}

interface Line {
  readonly text: string;
  /** With its line feed. */
  readonly bytes: number;
  /** False for a last line without a line feed. */
  readonly whole: boolean;
}

const LINE_FEED = 0x0a;
const CHUNK_BYTES = 1_048_576;

/** One line at a time, so that a long file needs no more memory than its longest line. */
async function* readLines(file: string, compressed: boolean): AsyncGenerator<Line> {
  const where = shownPath(file);
  let handle;
  try {
    const facts = await stat(file);
    if (facts.isDirectory()) throw badInput(`${where}: expected a file, found a directory`);
    handle = await open(file);
  } catch (error) {
    throw unreadable(where, error);
  }
  let decoder = new StringDecoder('utf8');
  let parts: string[] = [];
  let bytes = 0;
  let number = 1;
  const stored = handle.createReadStream({ highWaterMark: CHUNK_BYTES });
  for await (const chunk of compressed ? decompressed(stored, where) : stored) {
    let rest = chunk as Uint8Array;
    while (rest.length > 0) {
      const feed = rest.indexOf(LINE_FEED);
      const end = feed === -1 ? rest.length : feed + 1;
      bytes += end;
      if (bytes > LINE_BYTES_MAX) {
        throw badInput(`${where}:${number}: expected at most ${LINE_BYTES_MAX} bytes in a line`);
      }
      parts.push(decoder.write(rest.subarray(0, end)));
      rest = rest.subarray(end);
      if (feed === -1) continue;
      yield { text: parts.join(''), bytes, whole: true };
      decoder = new StringDecoder('utf8');
      parts = [];
      bytes = 0;
      number += 1;
    }
  }
  if (bytes > 0) yield { text: parts.join(''), bytes, whole: false };
}

/** Piece by piece, so that what unpacks to more than is allowed is never unpacked whole. */
async function* decompressed(stored: ReadStream, where: string): AsyncGenerator<Uint8Array> {
  const unpacking = createGunzip({ chunkSize: CHUNK_BYTES });
  const feeding = pipeline(stored, unpacking);
  // Its failure is that of the iteration below, which tells it.
  feeding.catch(() => undefined);
  try {
    for await (const chunk of unpacking) yield chunk as Uint8Array;
  } catch (error) {
    const code = codeOf(error);
    if (code?.startsWith('Z_') !== true) throw error;
    throw badInput(`${where}: expected a gzip file, found ${GZIP_FAULTS[code] ?? code}`);
  }
}

const GZIP_FAULTS: Readonly<Record<string, string>> = {
  Z_DATA_ERROR: 'other bytes',
  Z_BUF_ERROR: 'an early end',
};
