/**
 * A child process that takes one JSON line, or nothing, and answers with one.
 *
 * @module
 */

import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { Readable } from 'node:stream';
import { workerFile } from '../core/paths.ts';
import { LIVE_DESCRIPTOR, LIVE_FLAG } from '../measure/live.ts';
import { commandOn } from '../core/cores.ts';
import { LIFELINE, LIFELINE_DESCRIPTOR } from './lifeline.ts';

/** An answer is some megabytes at most; more than this is not one. */
const ANSWER_BYTES_MAX = 512 * 2 ** 20;
const COMPLAINT_BYTES_KEPT = 4096;

/** The child gets the collector as a function, so that memory is read after a full collection. */
const NODE_FLAGS = ['--expose-gc', '--disable-warning=ExperimentalWarning'];

/** A line is some hundred bytes; what is longer is none. */
const LIVE_LINE_MAX = 65_536;

/** What kills each child that runs: one listener for all, since a bank has ten at once. */
const running = new Set<() => void>();
process.once('exit', () => {
  for (const kill of running) kill();
});

export type ChildAnswer =
  | { readonly answer: unknown }
  /** Why there is none, to follow the words "its process". */
  | { readonly died: string };

export interface ChildOptions {
  /** Further options of Node. */
  readonly flags?: readonly string[];
  /** Is given each line in which the child says how far it is, parsed. */
  readonly onLive?: ((line: unknown) => void) | undefined;
  /** The one core that it may use, of `pinnableCores`. */
  readonly core?: number | undefined;
}

/**
 * Never throws: a child that dies, or answers nonsense, has died. When `signal` aborts it is killed.
 *
 * @param worker Name of a file in workers/, or the absolute path of another version's.
 */
export async function askChild(
  worker: string,
  question: unknown,
  signal: AbortSignal,
  { flags = [], onLive, core }: ChildOptions = {},
): Promise<ChildAnswer> {
  const entry = isAbsolute(worker) ? worker : workerFile(worker);
  const live = onLive === undefined ? [] : [LIVE_FLAG];
  const node = [process.execPath, ...NODE_FLAGS, ...flags, entry, ...live];
  const [file, ...args] = commandOn(core === undefined ? [] : [core], node);
  const child = spawn(file!, args, {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
    // Half of a child's start is stripping types and compiling: both are kept on disk.
    env: {
      NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'),
      ...process.env,
      [LIFELINE]: String(LIFELINE_DESCRIPTOR),
    },
    // Ctrl-C at a terminal goes to the whole group; the parent decides what becomes of the child.
    detached: true,
  });
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  // A parent that ends takes the child with it; one that is killed, by the lifeline.
  running.add(kill);
  if (signal.aborted) kill();

  const chunks: string[] = [];
  let bytes = 0;
  let complaint = '';
  let heldBytes: number | undefined;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) kill();
    else chunks.push(chunk);
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    complaint = (complaint + chunk).slice(-COMPLAINT_BYTES_KEPT);
  });
  if (onLive !== undefined) {
    readLines(child.stdio[LIVE_DESCRIPTOR] as Readable, (line) => {
      heldBytes = rssBytesOf(line) ?? heldBytes;
      onLive(line);
    });
  }
  // A child that died early is reported below.
  child.stdin.on('error', () => undefined);
  child.stdio[LIFELINE_DESCRIPTOR]?.on('error', () => undefined);
  child.stdin.end(JSON.stringify(question));
  try {
    const died = await new Promise<string | undefined>((resolve) => {
      child.on('error', (error) => resolve(`did not start: ${error.message}`));
      child.on('close', (status, killer) => {
        // `killed` says that a signal of ours was sent.
        const likely = killer === 'SIGKILL' && !child.killed ? outOfMemory(heldBytes) : '';
        if (status === 0) resolve(undefined);
        else if (killer !== null) resolve(`was killed by ${killer}${likely}${reasonIn(complaint)}`);
        else resolve(`ended with status ${status}${reasonIn(complaint)}`);
      });
    });
    if (died !== undefined) return { died };
    return { answer: JSON.parse(chunks.join('')) };
  } catch {
    return { died: 'gave no readable answer' };
  } finally {
    signal.removeEventListener('abort', kill);
    running.delete(kill);
  }
}

/** Gives each whole line that parses; what does not is left out, for it is no part of the answer. */
function readLines(stream: Readable, onLine: (line: unknown) => void): void {
  let rest = '';
  stream.on('error', () => undefined);
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!.slice(0, LIVE_LINE_MAX);
    for (const line of lines) {
      try {
        onLine(JSON.parse(line));
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
      }
    }
  });
}

/** What a live line says that the process holds, where it says so. */
function rssBytesOf(line: unknown): number | undefined {
  if (typeof line !== 'object' || line === null || !('rssBytes' in line)) return undefined;
  return typeof line.rssBytes === 'number' ? line.rssBytes : undefined;
}

/** Of a SIGKILL that is not ours: the kernel says nothing to the process that it ends. */
function outOfMemory(heldBytes: number | undefined): string {
  const held =
    heldBytes === undefined ? '' : ` (it last held ${(heldBytes / 2 ** 30).toFixed(1)} GiB)`;
  return `, which the system does when memory runs out${held}; try a smaller cell`;
}

/** What the child complained of, in short: that memory ran out is said on stderr only. */
function reasonIn(complaint: string): string {
  if (complaint.includes('JavaScript heap out of memory')) return ': out of memory';
  const lines = complaint.split('\n');
  // Node shows the line of code in front of the error.
  const line =
    lines.find((text) => /^\w*Error\b/.test(text)) ?? lines.find((text) => /error/i.test(text));
  return line === undefined ? '' : `: ${line.trim().slice(0, 200)}`;
}
