/**
 * Where a run ran and what it ran: the fingerprint that decides whether two runs may be compared.
 *
 * Nothing here identifies a person or a machine's place: no host name, user name or path.
 *
 * @module
 */

import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { printable } from '../core/json.ts';
import { PACKAGE_ROOT } from '../core/paths.ts';

const TEXT_CHARACTERS_MAX = 200;
const text = z.string().max(TEXT_CHARACTERS_MAX);

export const environmentSchema = z.strictObject({
  cpuModel: text,
  logicalCores: z.int().positive(),
  /** What this process may use, after affinity and quotas. */
  availableCores: z.int().positive(),
  memoryBytes: z.int().positive(),
  platform: text,
  architecture: text,
  kernel: text,
  /** The frequency governor of the first core; null where it cannot be read. */
  governor: text.nullable(),
  virtualised: z.enum(['yes', 'no', 'unknown']),
  /** What the firmware calls the machine: its model, or the name of the hypervisor. */
  machine: text.nullable(),
  node: text,
  v8: text,
  openssl: text,
  /** Version of each package that is installed, by name. */
  packages: z.record(z.string(), text),
});
export type Environment = z.infer<typeof environmentSchema>;

export const gitSchema = z.strictObject({
  revision: z.string().regex(/^[0-9a-f]{40,64}$/, { error: 'a full git revision' }),
  /** Whether the working tree differed from the revision, outside of results/. */
  dirty: z.boolean(),
});
export type Git = z.infer<typeof gitSchema>;

export async function readEnvironment(): Promise<Environment> {
  const cores = cpus();
  return {
    cpuModel: short(cores[0]?.model ?? 'unknown'),
    logicalCores: Math.max(1, cores.length),
    availableCores: availableParallelism(),
    memoryBytes: totalmem(),
    platform: process.platform,
    architecture: process.arch,
    kernel: short(release()),
    governor: await readLine('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor'),
    virtualised: virtualised(await readFile('/proc/cpuinfo', 'utf8').catch(() => '')),
    machine: await readLine('/sys/class/dmi/id/product_name'),
    node: process.versions.node,
    v8: process.versions.v8,
    openssl: process.versions.openssl,
    packages: await readPackages(),
  };
}

/**
 * From the `hypervisor` flag, CPUID leaf 1, ECX bit 31, which hypervisors set and processors never
 * do. Only x86 lists it: elsewhere the answer is unknown.
 *
 * @param cpuinfo The text of /proc/cpuinfo, or nothing.
 */
export function virtualised(cpuinfo: string): Environment['virtualised'] {
  const flags = /^flags\s*:(.*)$/m.exec(cpuinfo)?.[1];
  if (flags === undefined) return 'unknown';
  return flags.split(' ').includes('hypervisor') ? 'yes' : 'no';
}

/** The git revision of this clone; null when installed as a package or without git. */
export async function readGit(): Promise<Git | null> {
  try {
    // A package installed inside another project must not report that project's revision.
    const top = (await git('rev-parse', '--show-toplevel')).trim();
    if ((await realpath(top)) !== (await realpath(PACKAGE_ROOT))) return null;
    const revision = (await git('rev-parse', 'HEAD')).trim();
    // Results are what runs leave: they change nothing of what is measured.
    const dirty = (await git('status', '--porcelain', '--', '.', ':(exclude)results')) !== '';
    return { revision, dirty };
  } catch {
    return null;
  }
}

const GIT_TIMEOUT_MS = 10_000;

async function git(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', args, {
    cwd: PACKAGE_ROOT,
    timeout: GIT_TIMEOUT_MS,
    maxBuffer: 16_777_216,
  });
  return stdout;
}

/** The packages that package.json names as dependencies or optional peers, as installed. */
async function readPackages(): Promise<Record<string, string>> {
  const own = await readPackage(join(PACKAGE_ROOT, 'package.json'));
  const packages: Record<string, string> = {};
  for (const name of Object.keys({ ...own?.dependencies, ...own?.peerDependencies }).sort()) {
    const file = findInstalled(name);
    const installed = file === undefined ? undefined : await readPackage(file);
    if (installed?.version !== undefined) packages[name] = short(installed.version);
  }
  return packages;
}

const packageSchema = z.object({
  version: z.string().optional(),
  dependencies: z.record(z.string(), z.string()).optional(),
  peerDependencies: z.record(z.string(), z.string()).optional(),
});

async function readPackage(file: string): Promise<z.infer<typeof packageSchema> | undefined> {
  try {
    return packageSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined;
  }
}

function findInstalled(name: string): string | undefined {
  try {
    return findPackageJSON(name, import.meta.url);
  } catch {
    return undefined;
  }
}

/** The first line of a small system file; null where it cannot be read or is empty. */
async function readLine(file: string): Promise<string | null> {
  const content = await readFile(file, 'utf8').catch(() => '');
  const line = content.split('\n')[0]!.trim();
  return line === '' ? null : short(line);
}

function short(value: string): string {
  return printable(value.trim()).slice(0, TEXT_CHARACTERS_MAX);
}
