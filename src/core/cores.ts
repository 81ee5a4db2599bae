/**
 * The cores that child processes can be kept on.
 *
 * @module
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { workerFile } from './paths.ts';

/** Of util-linux, which every usual distribution has. */
const TASKSET = 'taskset';
/** Cores that are there and on. */
const ONLINE = '/sys/devices/system/cpu/online';

/**
 * The cores that this process may use, where a child can be kept on one of them: on Linux with
 * `taskset`. Empty elsewhere.
 */
export function pinnableCores(): readonly number[] {
  if (process.platform !== 'linux') return [];
  if (spawnSync(TASKSET, ['--version'], { stdio: 'ignore' }).status !== 0) return [];
  const status = readFileSync('/proc/self/status', 'utf8');
  const list = /^Cpus_allowed_list:\s*(?<list>\S+)$/m.exec(status)?.groups?.['list'];
  if (list === undefined) return [];
  const allowed = parseCoreList(list);
  // What is allowed may be off line; then no process starts on it. Some containers do not say.
  if (!existsSync(ONLINE)) return allowed;
  const online = parseCoreList(readFileSync(ONLINE, 'utf8').trim());
  return allowed.filter((core) => online.includes(core));
}

/** Cores of servers, and of what loads them. */
export interface LoadPlaces {
  readonly servers: readonly number[];
  readonly loads: readonly number[];
}

/** One core for servers, and the others for what loads them; empty where that cannot be. */
export function loadPlaces(cores: readonly number[]): LoadPlaces {
  if (cores.length < 2) return { servers: [], loads: [] };
  return { servers: cores.slice(-1), loads: cores.slice(0, -1) };
}

/** The command that runs `command` on `cores` alone; without them, `command`. */
export function commandOn(cores: readonly number[], command: readonly string[]): readonly string[] {
  return cores.length === 0 ? command : [TASKSET, '--cpu-list', cores.join(), ...command];
}

/** The command that runs a file in workers/ by this Node, on `cores` alone where there are any. */
export function workerCommand(name: string, cores: readonly number[]): readonly string[] {
  const quiet = '--disable-warning=ExperimentalWarning';
  return commandOn(cores, [process.execPath, quiet, workerFile(name)]);
}

/** Keeps the main thread of this process on `cores`; nothing changes without them. */
export function keepOn(cores: readonly number[]): void {
  if (cores.length === 0) return;
  const where = ['--cpu-list', '--pid', cores.join(), String(process.pid)];
  spawnSync(TASKSET, where, { stdio: 'ignore' });
}

/** @param list As Linux writes it, such as `0-3,8` (cpuset(7), "List format"). */
export function parseCoreList(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, at) => first + at);
  });
}
