/**
 * What all foreign libraries have in common: they are optional, they fail in their own words, and
 * relay and wire are ours.
 *
 * @module
 */

import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { HarnessError } from '../../core/errors.ts';
import { carrierOptions } from '../_carrier.ts';
import type { OptionSpec } from '../_pipeline.ts';

/** A package that users install by themselves. */
export interface OptionalPackage {
  /** On npm. */
  readonly name: string;
  /** What these pipelines were written and tested against. */
  readonly tested: string;
}

/**
 * Runs `load`, which imports the library.
 *
 * @throws HarnessError UNAVAILABLE with how to get it, when the package is missing or does not load.
 */
export async function loadOptional<T>(
  { name, tested }: OptionalPackage,
  load: () => Promise<T>,
): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && NOT_FOUND.includes(error.code);
    const what = isMissing ? 'is not installed' : `does not load (${firstLine(error)})`;
    throw new HarnessError(
      'UNAVAILABLE',
      `${name} ${what}; get it with: npm install --save-optional ${name}@${tested}`,
    );
  }
}

/** Of `import` and of `require`. */
const NOT_FOUND: readonly unknown[] = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'];

/** `name version`, as installed. */
export function installedVersion(name: string): string {
  const file = findPackageJSON(name, import.meta.url);
  if (file === undefined) throw new RangeError(`"name" expected an installed package, got ${name}`);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string };
  return `${name} ${version}`;
}

/** What a library threw where nothing may be refused: an error of the cell, without a stack. */
export function foreignFailure(library: string, error: unknown): HarnessError {
  if (error instanceof HarnessError) return error;
  return new HarnessError('WRONG_RESULT', `${library} failed: ${firstLine(error)}`);
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0]!;
}

/**
 * Options of pipelines whose clients are asynchronous: such clients open no connection, so there is
 * no hop to seal; the relay's store can be.
 */
export function directOptions(): Record<'hop' | 'rest' | 'aead', OptionSpec> {
  return {
    ...carrierOptions({ hop: 'none', rest: 'none' }),
    hop: {
      title: 'records between client and relay: none, as asynchronous clients open no connection',
      values: ['none'],
      default: 'none',
    },
  };
}

/** The option of libraries that read and write a record at every call, whoever calls them. */
export const RECORD_OPTION: OptionSpec = {
  title:
    'record: each call reads a serialised record and writes a new one; the library knows no other way',
  values: ['record'],
  default: 'record',
};
