/**
 * Child process: relay and authority of one world, built from their serialised secrets alone.
 *
 * One `RoleTask` comes in on standard input as JSON; one JSON list goes out, an answer per call.
 */

import { fromHex, toHex } from '../../src/core/bytes.ts';
import { loadByName } from '../../src/core/discover.ts';
import { PIPELINES_DIR } from '../../src/core/paths.ts';
import { PackedMembers } from '../../src/pipelines/_members.ts';
import type { Options, Pipeline } from '../../src/pipelines/_pipeline.ts';
import { loadProvider } from './_parts.ts';
import { relayOpening, ROOM_BYTES, type RoleCall } from './_small-world.ts';

/** Bytes are hexadecimal. */
export interface RoleTask {
  readonly provider: string;
  readonly pipeline: string;
  readonly options: Options;
  readonly relay: string;
  readonly authority: readonly string[];
  readonly directory: string;
  readonly members: readonly number[];
  readonly calls: readonly {
    readonly call: RoleCall['call'];
    readonly numbers: readonly number[];
    readonly input: string;
  }[];
}

export interface RoleAnswer {
  readonly length: number;
  readonly output: string;
}

let input = '';
for await (const chunk of process.stdin.setEncoding('utf8')) input += String(chunk);
const task = JSON.parse(input) as RoleTask;
const provider = await loadProvider(task.provider);
const pipeline = await loadByName<Pipeline>(PIPELINES_DIR, task.pipeline, 'pipeline');
const { options } = task;
const relay = pipeline.openRelay(relayOpening(provider, options, fromHex(task.relay)));
const authority =
  task.authority.length === 0
    ? undefined
    : pipeline.openAuthority?.({
        provider,
        secrets: task.authority.map(fromHex),
        directory: fromHex(task.directory),
        members: new PackedMembers(Uint32Array.from(task.members)),
        options,
      });

const answers = task.calls.map(({ call, numbers, input: hex }): RoleAnswer => {
  const [first, second] = [numbers[0]!, numbers[1]!];
  const bytes = fromHex(hex);
  const out = new Uint8Array(ROOM_BYTES);
  let length: number;
  switch (call) {
    case 'connect':
      length = relay.connect(first, bytes, 0, out);
      break;
    case 'accept':
      length = relay.accept(first, second, bytes, 0, out);
      break;
    case 'deliver':
      length = relay.deliver(first, bytes, 0, out);
      break;
    case 'handOver':
      length = relay.handOver(first, bytes, out);
      break;
    case 'recover':
      if (authority === undefined) throw new Error('no authority to recover with');
      length = authority.recover(first, second, bytes, out);
      break;
  }
  return { length, output: toHex(out.subarray(0, Math.max(0, length))) };
});
process.stdout.write(`${JSON.stringify(answers)}\n`);
