/**
 * What the system says of the machine, as far as it can be read; what cannot be read is absent.
 *
 * Linux documents the files: `Documentation/admin-guide/pm/cpufreq.rst` and `intel_pstate.rst`,
 * `Documentation/ABI/testing/sysfs-devices-system-cpu`, `Documentation/accounting/psi.rst`,
 * `Documentation/admin-guide/cgroup-v2.rst` and `Documentation/scheduler/sched-bwc.rst`.
 *
 * @module
 */

import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { memoryLimitBytes } from '../core/system-memory.ts';
import { virtualised } from '../results/environment.ts';

export interface Machine {
  readonly cpuModel: string;
  /** Logical cores of the machine, and how many of them this process may use. */
  readonly logicalCores: number;
  readonly cores: number;
  readonly memoryBytes: number;
  /** The limit of this process's control group, where it is less than the memory. */
  readonly memoryLimitBytes?: number;
  /** How many cores' time the control group may use, where it is limited. */
  readonly cpuQuota?: number;
  readonly virtualised: 'yes' | 'no' | 'unknown';
  /** The frequency governor of the first core. */
  readonly governor?: string;
  /** Whether a core may run faster than its nominal rate while it is cool. */
  readonly turbo?: boolean;
  /** Whether logical cores share physical ones. */
  readonly smt?: boolean;
  /** Mean number of running threads over the last minute. */
  readonly load1: number;
  /** Share of the last ten seconds in which some thread waited for a core. */
  readonly cpuPressure?: number;
}

/** @param root Where `/proc` and `/sys` are; for tests. */
export async function readMachine(root = '/'): Promise<Machine> {
  const read = (path: string): Promise<string | undefined> => readIfThere(join(root, path));
  const system = 'sys/devices/system/cpu';
  const model = cpus()[0]?.model.trim() ?? '';
  const memoryBytes = totalmem();
  const limitBytes = memoryLimitBytes();
  return {
    cpuModel: model === '' ? 'unknown' : model,
    logicalCores: Math.max(1, cpus().length),
    cores: availableParallelism(),
    memoryBytes,
    ...(limitBytes < memoryBytes ? { memoryLimitBytes: limitBytes } : {}),
    virtualised: virtualised((await read('proc/cpuinfo')) ?? ''),
    load1: loadavg()[0]!,
    ...known('cpuQuota', await readQuota(read)),
    ...known('governor', await read(`${system}/cpu0/cpufreq/scaling_governor`)),
    ...known('turbo', await readTurbo(read, system)),
    ...known('smt', readSwitch(await read(`${system}/smt/active`))),
    ...known('cpuPressure', readPressure(await read('proc/pressure/cpu'))),
  };
}

type Read = (path: string) => Promise<string | undefined>;

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    return undefined;
  }
}

function known<K extends keyof Machine>(
  key: K,
  value: Machine[K] | undefined,
): Partial<Pick<Machine, K>> {
  return value === undefined ? {} : ({ [key]: value } as Partial<Pick<Machine, K>>);
}

function readSwitch(text: string | undefined): boolean | undefined {
  return text === '0' ? false : text === '1' ? true : undefined;
}

/** Intel's driver says when it is off, the others when it is on. */
async function readTurbo(read: Read, system: string): Promise<boolean | undefined> {
  const isOff = readSwitch(await read(`${system}/intel_pstate/no_turbo`));
  if (isOff !== undefined) return !isOff;
  return readSwitch(await read(`${system}/cpufreq/boost`));
}

/** "some avg10=1.53 avg60=...": percent. */
function readPressure(text: string | undefined): number | undefined {
  const percent = /^some avg10=(?<percent>[\d.]+)/m.exec(text ?? '')?.groups!['percent'];
  return percent === undefined ? undefined : Number(percent) / 100;
}

/** The smallest of the limits of this process's control group and of the groups that it is in. */
async function readQuota(read: Read): Promise<number | undefined> {
  const quotas: number[] = [];
  for (const line of ((await read('proc/self/cgroup')) ?? '').split('\n')) {
    // "hierarchy:controllers:path"; version 2 has one hierarchy, 0, which names no controllers.
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    const isSecond = controllers === '';
    if (path === '' || (!isSecond && !controllers.split(',').includes('cpu'))) continue;
    const folder = join('sys/fs/cgroup', isSecond ? '' : 'cpu');
    for (let at = path; ; at = join(at, '..')) {
      const quota = isSecond
        ? quotaOf(await read(join(folder, at, 'cpu.max')))
        : quotaOf(
            `${await read(join(folder, at, 'cpu.cfs_quota_us'))} ` +
              `${await read(join(folder, at, 'cpu.cfs_period_us'))}`,
          );
      if (quota !== undefined) quotas.push(quota);
      if (at === '/') break;
    }
  }
  return quotas.length === 0 ? undefined : Math.min(...quotas);
}

/** "200000 100000" is two cores' time; without a limit the first is "max" or -1. */
function quotaOf(text: string | undefined): number | undefined {
  const [, quota, period] = /^(\d+) ([1-9]\d*)$/.exec(text ?? '') ?? [];
  return quota === undefined ? undefined : Number(quota) / Number(period);
}
