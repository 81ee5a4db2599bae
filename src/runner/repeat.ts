/**
 * One repeat in a fresh child process: a spec in, a report out.
 *
 * @module
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { workerFile } from '../core/paths.ts';
import type { RepeatReport, RunRepeat } from './repeat-report.ts';

/** A report is some megabytes at most; more than this is not one. */
const REPORT_BYTES_MAX = 512 * 2 ** 20;
const STDERR_BYTES_KEPT = 4096;

/** The child gets the collector as a function, so that memory is read after a full collection. */
const NODE_FLAGS = ['--expose-gc', '--disable-warning=ExperimentalWarning'];

/**
 * Never throws: a child that dies, or answers nonsense, is an error report. When `signal` aborts the
 * child is killed and the report's status is `error`.
 */
export const runRepeat: RunRepeat = async (spec, signal) => {
  const child = spawn(process.execPath, [...NODE_FLAGS, workerFile('repeat')], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // Ctrl-C at a terminal goes to the whole group; the parent decides what becomes of the child.
    detached: true,
  });
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  if (signal.aborted) kill();
  try {
    child.stdin.on('error', () => undefined); // A child that died early is reported below.
    child.stdin.end(JSON.stringify(spec));
    return await collect(child);
  } finally {
    signal.removeEventListener('abort', kill);
  }
};

async function collect(child: ChildProcess): Promise<RepeatReport> {
  const chunks: string[] = [];
  let bytes = 0;
  let complaint = '';
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
    bytes += chunk.length;
    if (bytes > REPORT_BYTES_MAX) child.kill('SIGKILL');
    else chunks.push(chunk);
  });
  child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
    complaint = (complaint + chunk).slice(-STDERR_BYTES_KEPT);
  });
  const ended = await new Promise<string | undefined>((resolve) => {
    child.on('error', (error) => resolve(`its process did not start: ${error.message}`));
    child.on('close', (status, signal) => {
      if (status === 0) resolve(undefined);
      else if (signal !== null) resolve(`its process was killed by ${signal}`);
      else resolve(`its process ended with status ${status}${lastLine(complaint)}`);
    });
  });
  if (ended !== undefined) return { status: 'error', reason: ended, shards: [] };
  try {
    return JSON.parse(chunks.join('')) as RepeatReport;
  } catch {
    return { status: 'error', reason: 'its process gave no readable report', shards: [] };
  }
}

/** What the child complained of, in short: out of memory is said on stderr only. */
function lastLine(complaint: string): string {
  const memory = /JavaScript heap out of memory/.test(complaint);
  if (memory) return ': out of memory';
  const lines = complaint.split('\n').filter((line) => /error/i.test(line));
  return lines.length === 0 ? '' : `: ${lines[0]!.trim().slice(0, 200)}`;
}
