/**
 * Instructions per message, counted by callgrind: a figure that neighbours do not move.
 *
 * One process holds a conversation on one thread. Callgrind begins a new count at the end of each
 * round of it, which the worker marks; the figure is that of the rounds at the end. So start-up and
 * what is compiled on the way count for nothing. Among those rounds are some in which the compiler or
 * the garbage collector ran, which are not the same ones in two runs of one version: the lower
 * quartile is that of rounds in which neither did. It is no time: instructions differ in cost, and
 * caches and branches are not seen.
 *
 * Randomness is seeded, nothing reads a clock, and Node has one thread and a fixed order of events.
 * What then differs between two runs of the same code is counted in the last round or two, or nowhere.
 *
 * @module
 */

import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { badInput } from '../core/errors.ts';
import type { RepeatSpec } from '../engine/spec.ts';
import { quantile, sortSamples } from '../stats/quantile.ts';

/** Messages of a session before the count: V8 has optimised by then what it optimises. */
const WARMUP_ROUNDS = 100;
const ROUNDS = 60;
const SESSIONS_MAX = 16;
/** What the worker calls at the end of a round; nothing else of Node or of libraries does. */
const MARK = 'uv_os_getpriority';
const NODE_FLAGS = [
  '--expose-gc',
  '--predictable',
  '--single-threaded',
  // valgrind runs one thread at a time and counts what idle ones do while they wait.
  '--v8-pool-size=0',
  '--hash-seed=1',
  '--random-seed=1',
  // MiB. So the collector of young objects runs in few rounds.
  '--min-semi-space-size=64',
  '--max-semi-space-size=64',
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
 * callgrind does not count their compilation.
 *
 * @param worker Absolute path of workers/instructions.ts of the version that is measured.
 */
export async function countInstructions(
  worker: string,
  spec: RepeatSpec,
  signal: AbortSignal,
): Promise<Counted> {
  const sessions = Math.min(SESSIONS_MAX, spec.workload.sessions);
  const input = JSON.stringify({
    ...spec,
    countedFrom: WARMUP_ROUNDS,
    threads: 1,
    randomness: 'seeded',
    warmupMs: 0,
    workload: { ...spec.workload, sessions, messages: WARMUP_ROUNDS + ROUNDS },
  } satisfies RepeatSpec & { readonly countedFrom: number });
  const folder = await mkdtemp(join(tmpdir(), 'sealbench-callgrind-'));
  try {
    const node = [process.execPath, ...NODE_FLAGS, worker];
    const uncounted = await ask(node, input, folder, signal);
    if ('failure' in uncounted) return uncounted;
    const file = join(folder, 'count');
    const callgrind = [
      'valgrind',
      '--tool=callgrind',
      `--callgrind-out-file=${file}`,
      `--dump-before=${MARK}`,
    ];
    const answer = await ask([...callgrind, ...node], input, folder, signal);
    if ('failure' in answer) return answer;
    const rounds = await Promise.all(
      Array.from({ length: ROUNDS }, async (_, round) =>
        // The first part, of which the name ends with 1, is what came before the first mark.
        totalIn(await readFile(`${file}.${round + 2}`, 'utf8').catch(() => '')),
      ),
    );
    const counted = rounds.filter((total) => total !== undefined);
    if (counted.length < ROUNDS) {
      const found = `callgrind counted ${counted.length} of ${ROUNDS} rounds`;
      return { failure: `${found}: its Node does not call ${MARK} by this name` };
    }
    return { perMessage: quantile(sortSamples(counted), 0.25) / sessions };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
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
    const { failure, rounds } = JSON.parse(out) as { failure?: string; rounds?: number };
    if (failure !== undefined) return { failure };
    return rounds === undefined
      ? { failure: 'it does not mark its rounds, because it is of an older version' }
      : undefined;
  } catch {
    return { failure: 'its process gave no readable answer' };
  }
}
