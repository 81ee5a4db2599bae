/**
 * One repeat under the CPU profiler of V8.
 *
 * Node writes a profile of every thread when it ends. That of the thread that works is kept: of the
 * first worker, or of the main thread where there is none.
 *
 * @module
 */

import { mkdtemp, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HarnessError } from '../core/errors.ts';
import type { RepeatSpec } from '../engine/spec.ts';
import type { OperationSpec } from '../primitives/spec.ts';
import type { RelaySpec } from '../relay/load/spec.ts';
import { askChild } from './child.ts';
import type { RepeatReport } from './repeat-report.ts';

/** Five samples a millisecond: fine enough for calls of some microseconds, and cheap. */
const INTERVAL_US = 200;

/**
 * @param file Where the profile goes; its folder is made.
 * @returns The repeat's report, not to be counted: the profiler slows what it watches.
 * @throws HarnessError WRONG_RESULT when the repeat ran and left no profile, NOT_WRITTEN when the
 *   folder cannot be made.
 */
export async function profileRepeat(
  spec: RepeatSpec | OperationSpec | RelaySpec,
  file: string,
  signal: AbortSignal,
): Promise<RepeatReport> {
  const raw = await makeFolder(dirname(file));
  try {
    const worker = workerOf(spec);
    const flags = ['--cpu-prof', `--cpu-prof-dir=${raw}`, `--cpu-prof-interval=${INTERVAL_US}`];
    const result = await askChild(worker, spec, signal, { flags });
    if ('died' in result) {
      return { status: 'error', reason: `its process ${result.died}`, shards: [] };
    }
    const report = result.answer as RepeatReport;
    if (report.status === 'ok') await rename(await findProfile(raw), file);
    return report;
  } finally {
    await rm(raw, { recursive: true, force: true });
  }
}

function workerOf(spec: RepeatSpec | OperationSpec | RelaySpec): string {
  if (!('kind' in spec)) return 'repeat';
  return spec.kind === 'relay' ? 'relay-load' : 'primitive';
}

async function makeFolder(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    return await mkdtemp(join(folder, 'raw-'));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    if (code === undefined) throw error;
    throw new HarnessError('NOT_WRITTEN', `${folder}: no profile can be written there: ${code}`);
  }
}

/** Node's names: CPU.<date>.<time>.<process>.<thread>.<sequence>.cpuprofile. */
const PROFILE_NAME = /^CPU\.\d+\.\d+\.\d+\.(?<thread>\d+)\.\d+\.cpuprofile$/;

async function findProfile(folder: string): Promise<string> {
  const profiles = (await readdir(folder))
    .flatMap((name) => {
      const thread = PROFILE_NAME.exec(name)?.groups!['thread'];
      return thread === undefined ? [] : [{ file: join(folder, name), thread: Number(thread) }];
    })
    .sort((a, b) => a.thread - b.thread);
  const found = profiles.find(({ thread }) => thread > 0) ?? profiles[0];
  if (found === undefined || !isProfile(await readFile(found.file, 'utf8'))) {
    throw new HarnessError('WRONG_RESULT', 'the profiled repeat left no profile that can be read');
  }
  return found.file;
}

/** A process that was cut off may leave half a file. */
function isProfile(text: string): boolean {
  try {
    const profile: unknown = JSON.parse(text);
    return typeof profile === 'object' && profile !== null && 'nodes' in profile;
  } catch {
    return false;
  }
}
