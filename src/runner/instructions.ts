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

/**
 * Messages of a session. Both are beyond what is compiled in the first dozens; what two runs of the
 * same length differ by is divided by the difference of the lengths.
 */
const LENGTHS = [60, 180] as const;
const SESSIONS_MAX = 16;
const NODE_FLAGS = [
  '--expose-gc',
  '--predictable',
  '--single-threaded',
  // valgrind runs one thread at a time and counts what idle ones do while they wait.
  '--v8-pool-size=0',
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
 * Takes a minute or more: callgrind slows a process down by a factor of 50 or more. A run without it
 * comes first, which shows failures within a second and leaves the compiled modules on disk, so that
 * callgrind does not count their compilation twice.
 *
 * @param worker Absolute path of workers/instructions.ts of the version that is measured.
 */
export async function countInstructions(
  worker: string,
  spec: RepeatSpec,
  signal: AbortSignal,
): Promise<Counted> {
  const sessions = Math.min(SESSIONS_MAX, spec.workload.sessions);
  const inputs = LENGTHS.map((messages) =>
    JSON.stringify({
      ...spec,
      threads: 1,
      purpose: 'verify',
      randomness: 'seeded',
      warmupMs: 0,
      workload: { ...spec.workload, sessions, messages },
    } satisfies RepeatSpec),
  );
  const folder = await mkdtemp(join(tmpdir(), 'sealbench-callgrind-'));
  try {
    const node = [process.execPath, ...NODE_FLAGS, worker];
    const uncounted = await ask(node, inputs[0]!, folder, signal);
    if ('failure' in uncounted) return uncounted;
    const [short, long] = await Promise.all(
      inputs.map((input, index) => countRun(node, input, folder, `count-${index}`, signal)),
    );
    if (typeof short !== 'number') return short!;
    if (typeof long !== 'number') return long!;
    return { perMessage: (long - short) / (sessions * (LENGTHS[1] - LENGTHS[0])) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function countRun(
  node: readonly string[],
  input: string,
  folder: string,
  name: string,
  signal: AbortSignal,
): Promise<number | { readonly failure: string }> {
  const file = join(folder, name);
  const callgrind = ['valgrind', '--tool=callgrind', `--callgrind-out-file=${file}`];
  const answer = await ask([...callgrind, ...node], input, folder, signal);
  if ('failure' in answer) return answer;
  const total = totalIn(await readFile(file, 'utf8').catch(() => ''));
  return total ?? { failure: 'callgrind wrote no count' };
}

/** From the last line `totals: N`, or `summary: N`, of callgrind's file. */
export function totalIn(text: string): number | undefined {
  const found = [...text.matchAll(/^(?:totals|summary): (?<count>\d+)/gm)].at(-1);
  return found === undefined ? undefined : Number(found.groups!['count']);
}

/** @param cache A folder for compiled modules. */
async function ask(
  [command, ...args]: readonly string[],
  input: string,
  cache: string,
  signal: AbortSignal,
): Promise<{ readonly failure: string } | { readonly fine: true }> {
  const child = spawn(command!, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(cache, 'modules') },
    detached: true,
  });
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
    // What valgrind itself says begins with ==.
    const lines = complaint
      .split('\n')
      .filter((line) => line.trim() !== '' && !line.startsWith('=='));
    const said = lines.find((line) => /error/i.test(line)) ?? lines.at(-1) ?? '';
    return { failure: `its process ended with ${status}: ${said.trim().slice(0, 200)}` };
  }
  return failureIn(out) ?? { fine: true };
}

function failureIn(out: string): { readonly failure: string } | undefined {
  try {
    const json = JSON.parse(out) as { readonly failure?: string; readonly faults?: number };
    if (json.failure !== undefined) return { failure: json.failure };
    return json.faults === 0 ? undefined : { failure: 'a message came out wrong' };
  } catch {
    return { failure: 'its process gave no readable answer' };
  }
}
