/**
 * The two sides of a comparison: git refs, folders or implementations.
 *
 * @module
 */

import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { badInput } from '../core/errors.ts';
import { quoted } from '../core/json.ts';
import { SUITES_DIR, workerFile } from '../core/paths.ts';
import { isFileName } from '../suite/names.ts';
import type { RunRepeat } from './repeat-report.ts';
import { repeatOf } from './other-repeat.ts';
import { runRepeat } from './repeat.ts';
import { addWorktree, findRepository, isDirty, resolveRef } from './worktree.ts';

export interface Side extends Disposable {
  /** As the user gave it. */
  readonly given: string;
  /** What it turned out to be, for people. */
  readonly is: string;
  /** Full revision; only of a ref. */
  readonly revision?: string;
  /** Where files that the user names are looked for. */
  readonly folder: string;
  /** Where its suites lie. */
  readonly suites: string;
  /** Instead of the suite's. */
  readonly provider?: string;
  /** Its own version of the program, or this one. */
  readonly runRepeat: RunRepeat;
  /** Whether its processes wait at a gate for those beside them, which an older version does not. */
  readonly meets: boolean;
  /** Its workers/instructions.ts, which an older version may lack. */
  readonly counter: string;
}

export interface SideOptions {
  /** Whether the words name implementations. */
  readonly implementation: boolean;
  readonly prepare?: string | undefined;
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
}

/** @throws HarnessError BAD_INPUT for what is neither. */
export async function openSide(given: string, options: SideOptions): Promise<Side> {
  if (options.implementation) {
    const provider = isFileName(given) ? resolve(given) : given;
    const is = `implementation ${given}`;
    return { ...ownHarness, given, is, folder: process.cwd(), provider, [Symbol.dispose]() {} };
  }
  const looksLikeFolder = /^(?:\.|\/|~)/.test(given) || given === '.';
  if (looksLikeFolder) return openFolder(given);
  const repository = await findRepository(process.cwd());
  try {
    const revision = await resolveRef(repository, given);
    if (await isDirty(repository)) {
      options.note(
        `${given}: uncommitted changes are in no ref; to compare the working tree, name it: .\n`,
      );
    }
    const tree = await addWorktree(repository, given, revision, options);
    const short = revision.slice(0, 12);
    return {
      ...harnessIn(tree.folder),
      given,
      is: given === short ? short : `${given} at ${short}, ${tree.dependencies}`,
      revision,
      folder: tree.folder,
      [Symbol.dispose]: () => tree[Symbol.dispose](),
    };
  } catch (error) {
    if (!looksLikeFolder && isFolder(given) && /unknown ref/.test(String(error))) {
      return openFolder(given);
    }
    throw error;
  }
}

const ownHarness = {
  suites: SUITES_DIR,
  runRepeat,
  meets: true,
  counter: workerFile('instructions'),
};

function openFolder(given: string): Side {
  const folder = resolve(given);
  if (!isFolder(folder)) {
    throw badInput(`${quoted(given)}: expected a folder or a git ref, found neither`);
  }
  return { ...harnessIn(folder), given, is: `folder ${folder}`, folder, [Symbol.dispose]() {} };
}

/** A clone of this program measures itself; any other folder is measured by this program. */
function harnessIn(folder: string): Pick<Side, 'suites' | 'runRepeat' | 'meets' | 'counter'> {
  const worker = join(folder, 'workers', 'repeat.ts');
  if (nameIn(folder) !== 'sealbench' || !existsSync(worker)) return ownHarness;
  const isThis = worker === workerFile('repeat');
  return {
    suites: join(folder, 'suites'),
    runRepeat: isThis ? runRepeat : repeatOf(worker),
    meets: existsSync(join(folder, 'src', 'measure', 'gate.ts')),
    counter: join(folder, 'workers', 'instructions.ts'),
  };
}

function nameIn(folder: string): unknown {
  try {
    const json: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return typeof json === 'object' && json !== null && 'name' in json ? json.name : undefined;
  } catch {
    return undefined;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
