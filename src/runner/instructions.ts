/**
 * Instructions per message, counted by callgrind: a figure that neighbours do not move.
 *
 * Two runs of different length are counted; what the longer one needs more, divided by the messages
 * that it carries more, leaves out start-up, compilation of what both compile, and what is done once.
 * Node runs on one thread with a fixed order of events (`--predictable --single-threaded`), with
 * seeded randomness, so that the work is the same each time. The garbage collector and the compiler
 * are on that thread and are counted. It is no time: instructions differ in cost, and caches and
 * branches are not seen.
 *
 * @module
 */

import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { badInput } from '../core/errors.ts';
import type { RepeatSpec } from '../engine/spec.ts';

/** Messages of a session; both beyond what is compiled in the first dozens. */
const LENGTHS = [80, 160] as const;
const SESSIONS_MAX = 16;
const NODE_FLAGS = [
  '--expose-gc',
  '--predictable',
  '--single-threaded',
  '--hash-seed=1',
  '--random-seed=1',
  '--disable-warning=ExperimentalWarning',
];
const TEXT_KEPT = 4_096;

export type Counted = { readonly perMessage: number } | { readonly failure: string };

/** @throws HarnessError BAD_INPUT where valgrind is not installed. */
export function requireValgrind(): void {
  try {
    execFileSync('valgrind', ['--version'], { stdio: 'ignore' });
  } catch {
    throw badInput(
      '--instructions counts with valgrind, which is not installed; on Debian and Ubuntu: ' +
        'apt-get install valgrind',
    );
  }
}

/**
 * Takes some minutes: callgrind slows a process down by a factor of 50 or more.
 *
 * @param worker Absolute path of workers/instructions.ts of the version that is measured.
 */
export async function countInstructions(
  worker: string,
  spec: RepeatSpec,
  signal: AbortSignal,
): Promise<Counted> {
  const sessions = Math.min(SESSIONS_MAX, spec.workload.sessions);
  const counts = await Promise.all(
    LENGTHS.map((messages) =>
      countRun(
        worker,
        {
          ...spec,
          threads: 1,
          purpose: 'verify',
          randomness: 'seeded',
          warmupMs: 0,
          workload: { ...spec.workload, sessions, messages },
        },
        signal,
      ),
    ),
  );
  const [short, long] = counts;
  if (typeof short !== 'number') return short!;
  if (typeof long !== 'number') return long!;
  return { perMessage: (long - short) / (sessions * (LENGTHS[1] - LENGTHS[0])) };
}

async function countRun(
  worker: string,
  spec: RepeatSpec,
  signal: AbortSignal,
): Promise<number | { readonly failure: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'sealbench-callgrind-'));
  const file = join(folder, 'out');
  try {
    const answer = await ask(
      ['--tool=callgrind', `--callgrind-out-file=${file}`, process.execPath, ...NODE_FLAGS, worker],
      JSON.stringify(spec),
      signal,
    );
    if ('failure' in answer) return answer;
    const total = totalIn(await readFile(file, 'utf8').catch(() => ''));
    return total ?? { failure: 'callgrind wrote no count' };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** From the last line `totals: N`, or `summary: N`, of callgrind's file. */
export function totalIn(text: string): number | undefined {
  const found = [...text.matchAll(/^(?:totals|summary): (?<count>\d+)/gm)].at(-1);
  return found === undefined ? undefined : Number(found.groups!['count']);
}

async function ask(
  args: readonly string[],
  input: string,
  signal: AbortSignal,
): Promise<{ readonly failure: string } | { readonly fine: true }> {
  const child = spawn('valgrind', args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  process.once('exit', kill);
  if (signal.aborted) kill();
  let out = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out = (out + text).slice(-TEXT_KEPT);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-TEXT_KEPT);
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const { promise, resolve } = Promise.withResolvers<number | string | null>();
  child.on('error', (error) => resolve(error.message));
  child.on('close', (status) => resolve(status));
  const status = await promise;
  signal.removeEventListener('abort', kill);
  process.removeListener('exit', kill);
  if (status !== 0) {
    const last = complaint.trim().split('\n').at(-1) ?? '';
    return { failure: `its process under callgrind ended with ${status}: ${last.slice(0, 200)}` };
  }
  return failureIn(out) ?? { fine: true };
}

function failureIn(out: string): { readonly failure: string } | undefined {
  try {
    const json = JSON.parse(out) as { readonly failure?: string; readonly faults?: number };
    if (json.failure !== undefined) return { failure: json.failure };
    return json.faults === 0 ? undefined : { failure: 'a message came out wrong' };
  } catch {
    return { failure: 'its process under callgrind gave no readable answer' };
  }
}
