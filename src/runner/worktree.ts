/**
 * A git ref as a folder of its own, with its dependencies, for as long as it is needed.
 *
 * @module
 */

import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { mkdtemp, readFile, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { badInput, HarnessError } from '../core/errors.ts';
import { quoted } from '../core/json.ts';

const GIT_TIMEOUT_MS = 60_000;
const GIT_BYTES_MAX = 2 ** 24;
const PREFIX = 'sealbench-side-';
/** Of a failed command. */
const LINES_SHOWN = 8;

export interface Repository {
  /** The top of its working tree. */
  readonly top: string;
  /** Where in it the command was started: '' or 'folder/'. */
  readonly prefix: string;
}

export interface Worktree extends Disposable {
  /** Where in it the command was started. */
  readonly folder: string;
  readonly revision: string;
  /** How its dependencies came to be there, for people. */
  readonly dependencies: string;
}

/** @throws HarnessError BAD_INPUT outside a repository or without git. */
export async function findRepository(cwd: string): Promise<Repository> {
  try {
    const top = await git(cwd, 'rev-parse', '--show-toplevel');
    return { top, prefix: await git(cwd, 'rev-parse', '--show-prefix') };
  } catch {
    throw badInput(
      `expected to be in the working tree of a git repository, found none at ${quoted(cwd)}; ` +
        'a side may also be a folder, such as ./before',
    );
  }
}

/** @throws HarnessError BAD_INPUT for a ref that names no commit. */
export async function resolveRef({ top }: Repository, ref: string): Promise<string> {
  try {
    return await git(
      top,
      'rev-parse',
      '--verify',
      '--quiet',
      '--end-of-options',
      `${ref}^{commit}`,
    );
  } catch {
    throw badInput(
      `unknown ref ${quoted(ref)}: it names no commit of ${top}, and no folder. A clone of a ` +
        'continuous integration is often shallow: fetch the ref first (actions/checkout with ' +
        'fetch-depth: 0). A folder is written with a slash, such as ./before',
    );
  }
}

export async function isDirty({ top }: Repository): Promise<boolean> {
  return (await git(top, 'status', '--porcelain')) !== '';
}

/**
 * Checks out a revision in a temporary folder. It is removed on disposal, and when this process ends
 * for any reason it can notice; what an earlier one left that was killed is removed first.
 *
 * Its node_modules are those of the clone, by a symbolic link, where package-lock.json is the same to
 * the byte: installed packages do not refer back to who uses them, and Node resolves them to where
 * they lie, so that both sides load the same files. Otherwise they are installed by `npm ci`.
 *
 * @param prepare A command for the shell that makes it ready, such as `npm run build`.
 * @throws HarnessError WRONG_RESULT for a side that cannot be made ready.
 */
export async function addWorktree(
  repository: Repository,
  ref: string,
  revision: string,
  { prepare, signal }: { readonly prepare?: string | undefined; readonly signal: AbortSignal },
): Promise<Worktree> {
  const { top, prefix } = repository;
  removeAbandoned(top);
  const holder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  const tree = join(holder, 'tree');
  const remove = (): void => removeTree(top, holder);
  process.once('exit', remove);
  const dispose = (): void => {
    process.removeListener('exit', remove);
    remove();
  };
  try {
    await git(top, 'worktree', 'add', '--detach', '--quiet', tree, revision);
    const folder = join(tree, prefix);
    if (!existsSync(folder)) {
      throw badInput(`${ref}: expected the folder ${quoted(prefix)} in it, found none`);
    }
    const dependencies = await provideDependencies(join(top, prefix), folder, ref, signal);
    if (prepare !== undefined) {
      await run('sh', ['-c', prepare], folder, `${ref}: ${quoted(prepare)}`, signal);
    }
    return { folder, revision, dependencies, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

async function provideDependencies(
  from: string,
  to: string,
  ref: string,
  signal: AbortSignal,
): Promise<string> {
  const [ours, theirs] = await Promise.all([readLock(from), readLock(to)]);
  const installed = join(from, 'node_modules');
  if (theirs === ours && existsSync(installed)) {
    await symlink(installed, join(to, 'node_modules'), 'junction');
    return 'node_modules of the clone';
  }
  if (theirs === undefined) return 'no package-lock.json, no dependencies';
  await run('npm', ['ci', '--no-audit', '--no-fund'], to, `${ref}: npm ci`, signal);
  return 'its own, by npm ci';
}

async function readLock(folder: string): Promise<string | undefined> {
  return readFile(join(folder, 'package-lock.json'), 'utf8').catch(() => undefined);
}

/** @throws HarnessError WRONG_RESULT with the end of what the command said. */
async function run(
  command: string,
  args: readonly string[],
  cwd: string,
  what: string,
  signal: AbortSignal,
): Promise<void> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  // The whole group: npm and a shell start others.
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  };
  signal.addEventListener('abort', kill, { once: true });
  process.once('exit', kill);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-GIT_BYTES_MAX / 256);
    });
  }
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  child.on('error', (error) => resolve(`did not start: ${error.message}`));
  child.on('close', (status) => resolve(status === 0 ? undefined : `ended with status ${status}`));
  const failed = await promise;
  signal.removeEventListener('abort', kill);
  process.removeListener('exit', kill);
  if (failed === undefined || signal.aborted) return;
  const lines = said.trim().split('\n').slice(-LINES_SHOWN).join('\n  ');
  throw new HarnessError('WRONG_RESULT', `${what} ${failed}; this side cannot run:\n  ${lines}`);
}

function removeTree(top: string, holder: string): void {
  rmSync(holder, { recursive: true, force: true, maxRetries: 3 });
  try {
    execFileSync('git', ['worktree', 'prune'], {
      cwd: top,
      stdio: 'ignore',
      timeout: GIT_TIMEOUT_MS,
    });
  } catch {
    // The next `git gc` prunes it.
  }
}

/** What processes left that were killed. */
function removeAbandoned(top: string): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = /^sealbench-side-(?<pid>\d+)-/.exec(basename(name))?.groups?.['pid'];
    if (pid !== undefined && !isAlive(Number(pid))) removeTree(top, join(tmpdir(), name));
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function git(cwd: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', args, {
    cwd,
    timeout: GIT_TIMEOUT_MS,
    maxBuffer: GIT_BYTES_MAX,
  });
  return stdout.trim();
}
