/**
 * Child process: one conversation on its only thread, for a program that counts instructions. A spec
 * comes in on stdin as one JSON line; what goes out is what went wrong, if anything did.
 *
 * The end of a round is marked by asking for the priority of this process: callgrind is told to begin
 * a new count where `uv_os_getpriority` is entered. Nothing else calls it, and it costs one system
 * call whose answer is always of the same length.
 *
 * @module
 */

import { getPriority } from 'node:os';
import { countRounds } from '../src/engine/counted-rounds.ts';
import type { RepeatSpec } from '../src/engine/spec.ts';
import { loadParts, messageOf } from './shard.ts';

/** @param countedFrom The first round whose end is marked; all after it are. */
async function answer({
  countedFrom,
  ...spec
}: RepeatSpec & { readonly countedFrom: number }): Promise<
  { readonly failure: string } | { readonly rounds: number }
> {
  try {
    let rounds = 0;
    const [first] = await countRounds(spec, await loadParts(spec), (round) => {
      if (round >= countedFrom) getPriority();
      rounds = round;
    });
    if (first === undefined) return { rounds };
    return { failure: `session ${first.session}, message ${first.message}: ${first.reason}` };
  } catch (error) {
    return { failure: messageOf(error) };
  }
}

let input = '';
for await (const chunk of process.stdin.setEncoding('utf8')) input += String(chunk);
process.stdout.write(`${JSON.stringify(await answer(JSON.parse(input)))}\n`);
