/**
 * Where figures are from, in a line that stands under every chart and page.
 *
 * @module
 */

import { joined } from '../wording.ts';
import type { SiteRun } from './page.ts';

const NAMED_MAX = 3;

/** "Runs 2026-11-23-ladder and 2026-11-23-rivals; AMD EPYC, 2 cores, a virtual machine; Node 26.10.0". */
export function sourceOf(runs: readonly SiteRun[]): string {
  const names = runs.map(({ name }) => name);
  const shown =
    names.length > NAMED_MAX
      ? `${names.slice(0, NAMED_MAX - 1).join(', ')} and ${names.length - NAMED_MAX + 1} more`
      : joined(names);
  const machines = new Set(runs.map((run) => machineOf(run)));
  const what = machines.size === 1 ? [...machines][0]! : `${machines.size} machines or versions`;
  return `${runs.length === 1 ? 'Run' : 'Runs'} ${shown}; ${what}`;
}

function machineOf({ manifest: { environment } }: SiteRun): string {
  const { cpuModel, availableCores, virtualised, node } = environment;
  const cores = `${availableCores} core${availableCores === 1 ? '' : 's'}`;
  const kind = virtualised === 'yes' ? ', a virtual machine' : '';
  return `${cpuModel}, ${cores}${kind}; Node ${node}`;
}

/** A word that is fit for names of files and of elements: letters, digits and dashes. */
export function slugOf(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 80);
}
