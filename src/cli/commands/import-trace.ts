/** `import-trace`: a recorded conversation, as metadata, into a workload. */

import { createReadStream } from 'node:fs';
import { constants, copyFile, link, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { badInput, HarnessError } from '../../core/errors.ts';
import { printable, quoted, shownPath, unreadable } from '../../core/json.ts';
import { quoteArguments } from '../../report/command-line.ts';
import { ADVICE } from '../../results/store.ts';
import { packTrace } from '../../workload/trace.ts';
import { TraceReader } from '../../workload/trace-reader.ts';
import { workloadOfTrace } from '../../workload/workload-of-trace.ts';
import { defineCommand, EXIT, type Command } from '../command.ts';
import { program } from '../program.ts';

const LINE_BYTES_MAX = 4_096;
const LINE_FEED = 0x0a;
const SPEED_MAX = 1_000_000;
const NAME = /^[a-z][a-z0-9-]*\.json$/;

const importTrace: Command = defineCommand({
  name: 'import-trace',
  summary: 'Turn recorded message metadata into a workload',
  details:
    'FILE holds one JSON object per line, in the order of time:\n' +
    '  {"time": "2026-01-31T12:00:00.250Z", "session": "a", "sender": "b", "bytes": 28}\n' +
    'time may also be a number of milliseconds. Sessions are one to one. Any other field is\n' +
    'refused, so that no content gets in; names of sessions and senders are replaced by\n' +
    'numbers. With --speed the workload is an open loop that keeps the recorded moments.',
  positionals: { file: { placeholder: 'FILE', summary: 'newline-delimited JSON' } },
  options: {
    out: {
      kind: 'text',
      placeholder: 'WORKLOAD',
      summary: 'the file to be written, such as ./office.json; it must not exist',
    },
    speed: {
      kind: 'integer',
      min: 1,
      max: SPEED_MAX,
      summary: 'keep the moments, so many times as fast; without it the next follows the last',
    },
  },
  examples: [
    'import-trace messages.ndjson --out ./office.json',
    'import-trace messages.ndjson --out ./office-fast.json --speed 1000',
  ],
  async run({ positionals: { file }, options: { out, speed }, output }) {
    if (out === undefined) throw badInput('import-trace: expected --out WORKLOAD, got nothing');
    const name = basename(out);
    if (!NAME.test(name)) {
      throw badInput(
        'import-trace: --out expected a file named with small letters, digits and hyphens, such as ' +
          `./office.json, got ${quoted(name)}`,
      );
    }
    const trace = await readTrace(file);
    const workload = workloadOfTrace(
      name.slice(0, -'.json'.length),
      trace,
      packTrace(trace),
      speed,
    );
    await writeNew(out, `${JSON.stringify(workload, undefined, 2)}\n`);
    const path = out === name ? `./${name}` : printable(out);
    const hours = trace.atMs.at(-1)! / 3_600_000;
    output.note(
      `${trace.atMs.length} messages in ${workload.sessions} sessions over ` +
        `${hours.toPrecision(3)} hours; no names and no content are kept\n` +
        `to carry them: ${program()} run curated/ladder --workload ${quoteArguments([path])}\n`,
    );
    output.print(`${shownPath(out)}\n`);
    return EXIT.fine;
  },
});
export default importTrace;

/**
 * The whole of it or nothing, where there are hard links, and never in the place of what is there.
 *
 * @throws HarnessError NOT_WRITTEN.
 */
async function writeNew(file: string, text: string): Promise<void> {
  let drafts: string | undefined;
  try {
    drafts = await mkdtemp(join(dirname(file), '.import-trace-'));
    const draft = join(drafts, 'workload.json');
    await writeFile(draft, text, { flush: true });
    // A copy where there are no hard links; neither takes a name that is taken.
    await link(draft, file).catch(() => copyFile(draft, file, constants.COPYFILE_EXCL));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    if (code === undefined) throw error;
    const why = NEW_FILE_ADVICE[code] ?? ADVICE[code] ?? code;
    throw new HarnessError('NOT_WRITTEN', `${shownPath(file)} could not be written: ${why}`);
  } finally {
    if (drafts !== undefined) await rm(drafts, { recursive: true, force: true });
  }
}

/** What the same codes mean for a run is another thing. */
const NEW_FILE_ADVICE: Readonly<Record<string, string>> = {
  EEXIST: 'there is a file of that name; choose another',
  ENOENT: 'there is no such folder; make it or choose another',
};

/** Line by line, so that a file of any size takes the memory of its numbers only. */
async function readTrace(file: string): Promise<ReturnType<TraceReader['finish']>> {
  const where = shownPath(file);
  const facts = await stat(file).catch((error: unknown) => {
    throw unreadable(where, error);
  });
  if (facts.isDirectory()) throw badInput(`${where}: expected a file, found a directory`);
  const reader = new TraceReader();
  let decoder = new StringDecoder('utf8');
  let text = '';
  let bytes = 0;
  let number = 1;
  const end = (): void => {
    if (text.trim() !== '') reader.add(text, `${where}:${number}`);
    decoder = new StringDecoder('utf8');
    text = '';
    bytes = 0;
    number += 1;
  };
  try {
    for await (const chunk of createReadStream(file)) {
      let rest = chunk as Uint8Array;
      while (rest.length > 0) {
        const feed = rest.indexOf(LINE_FEED);
        const part = feed === -1 ? rest : rest.subarray(0, feed);
        bytes += part.length;
        if (bytes > LINE_BYTES_MAX) {
          throw badInput(`${where}:${number}: expected at most ${LINE_BYTES_MAX} bytes in a line`);
        }
        text += decoder.write(part);
        rest = feed === -1 ? rest.subarray(rest.length) : rest.subarray(feed + 1);
        if (feed !== -1) end();
      }
    }
  } catch (error) {
    throw unreadable(where, error);
  }
  end();
  return reader.finish(where);
}
