/**
 * What must be the same for numbers to be set side by side: the machine, what it ran on, and the work.
 *
 * @module
 */

import { badInput } from '../core/errors.ts';
import { printable } from '../core/json.ts';
import type { Manifest } from './manifest.ts';

/** Named fields with their values as text, in the order in which they are compared. */
export type Fingerprint = ReadonlyMap<string, string>;

export interface Difference {
  readonly field: string;
  /** As text; "none" where a run has no such field. */
  readonly first: string;
  readonly second: string;
}

/**
 * Names are those of manifest.json. Left out is what differs between two runs that may be compared:
 * times, seed, budget, cells, git (the code has a digest of its own), and the size of the memory,
 * which a kernel reports a few pages larger or smaller after each start.
 */
export function fingerprintOf({ suite, codeDigest, environment }: Manifest): Fingerprint {
  const { packages, memoryBytes: _, ...machine } = environment;
  return new Map([
    ...Object.entries(machine).map(
      ([name, value]) =>
        [`environment.${name}`, value === null ? 'unknown' : String(value)] as const,
    ),
    ...Object.entries(packages).map(
      ([name, version]) => [`environment.packages.${name}`, version] as const,
    ),
    ['suite.name', suite.name],
    ['suite.digest', suite.digest],
    ['codeDigest', codeDigest],
  ]);
}

/** What differs between two runs; empty where their numbers may be set side by side. */
export function differences(first: Fingerprint, second: Fingerprint): Difference[] {
  const fields = new Set([...first.keys(), ...second.keys()]);
  return [...fields].flatMap((field) => {
    const values = { first: first.get(field) ?? 'none', second: second.get(field) ?? 'none' };
    return values.first === values.second ? [] : [{ field, ...values }];
  });
}

/** More would hide the first ones. */
const NAMED_MAX = 3;

/** A run and what a message calls it: "in results/runs/one", "now". */
export interface CalledRun {
  readonly manifest: Manifest;
  readonly called: string;
}

/**
 * @param where What the message is about, at its beginning: a folder.
 * @param expected What was to be done with the two.
 * @param remedy What the user can do.
 * @throws HarnessError BAD_INPUT that names the fields that differ, with both values.
 */
export function requireSame(
  [first, second]: readonly [CalledRun, CalledRun],
  { where, expected, remedy }: Readonly<Record<'where' | 'expected' | 'remedy', string>>,
): void {
  const differing = differences(fingerprintOf(first.manifest), fingerprintOf(second.manifest));
  if (differing.length === 0) return;
  const named = differing
    .slice(0, NAMED_MAX)
    .map(
      (field) =>
        `${printable(field.field)} is ${shown(field.first)} ${first.called} and ` +
        `${shown(field.second)} ${second.called}`,
    );
  const more = differing.length - NAMED_MAX;
  const rest =
    more > 0 ? `, and ${more} more ${more === 1 ? 'field differs' : 'fields differ'}` : '';
  throw badInput(`${where}: expected ${expected}, but ${named.join(', ')}${rest}; ${remedy}`);
}

/** A digest is told by its beginning. */
function shown(value: string): string {
  return printable(/^[0-9a-f]{64}$/.test(value) ? `${value.slice(0, 12)}...` : value);
}
