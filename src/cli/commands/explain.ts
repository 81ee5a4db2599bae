/** `explain`: what one message of a cell is made of: primitives, bytes, and where its CPU goes. */

import { badInput, HarnessError } from '../../core/errors.ts';
import { listNames } from '../../core/discover.ts';
import { quoted } from '../../core/json.ts';
import { PROVIDERS_DIR } from '../../core/paths.ts';
import { TIMED } from '../../measure/facts.ts';
import { EVERY_BLOCK, sumBatches } from '../../metrics/_batches.ts';
import { formatNumber, formatQuantity } from '../../report/numbers.ts';
import type { RepeatRecord } from '../../results/record.ts';
import { execute } from '../../runner/execute.ts';
import { loadPipelines } from '../../runner/pipelines-info.ts';
import { parseName } from '../../suite/names.ts';
import { loadWorkload } from '../../suite/parse.ts';
import { planSuite, type Plan } from '../../suite/plan.ts';
import { defineCommand, EXIT, type Command } from '../command.ts';
import { Interruption } from '../interruption.ts';
import { textTable } from '../table.ts';

const SEED = 1;

interface Explanation {
  readonly cell: string;
  /** Messages of the counted repeat; the opening of their sessions is counted with them. */
  readonly countedMessages: number;
  readonly primitives: readonly {
    readonly stage: string;
    readonly primitive: string;
    readonly callsPerMessage: number;
    /** Of its input, or of the output of random and HKDF, on average; null where it is fixed. */
    readonly bytesPerCall: number | null;
  }[];
  /** Of the timed repeat. */
  readonly messages: number;
  readonly plaintextBytesPerMessage: number;
  readonly frames: readonly {
    readonly kind: string;
    readonly framesPerMessage: number;
    readonly bytesPerMessage: number;
  }[];
  readonly stages: readonly {
    readonly stage: string;
    readonly role: string;
    readonly cpuNsPerCall: number;
    /** Of the CPU of all stages. */
    readonly share: number;
  }[];
}

const explain: Command = defineCommand({
  name: 'explain',
  summary: 'Show what a message of one cell is made of',
  details:
    'Runs the cell twice: once counting the calls of each primitive, once timed. One repeat is an\n' +
    'impression and no measurement: for figures with intervals use run.',
  positionals: {
    cell: {
      placeholder: 'CELL',
      summary: 'its name: PIPELINE/IMPLEMENTATION/WORKLOAD/tN, with or without a suite before it',
    },
  },
  options: { json: { kind: 'flag', summary: 'print it as JSON' } },
  examples: [
    'explain ladder/double-ratchet/native/chat/t1',
    'explain double-ratchet:hop=none,rest=none/noble/chat:sessions=100/t1',
  ],
  async run({ positionals, options, output }) {
    const plans = await planCell(positionals.cell);
    using interruption = new Interruption();
    const records: RepeatRecord[] = [];
    for (const plan of plans) {
      const { interrupted } = await execute({
        plan,
        run: { append: (record) => records.push(record) },
        suiteName: 'explain',
        signal: interruption.signal,
        onStart: ({ spec }) => {
          output.note(spec.purpose === 'verify' ? 'counting calls ...\n' : 'timing ...\n');
        },
        onEnd: () => {},
      });
      if (interrupted) return interruption.status;
      const { status, reason } = records.at(-1)!;
      if (status === 'ok') continue;
      const code = status === 'error' || status === 'invalid' ? 'WRONG_RESULT' : 'UNAVAILABLE';
      throw new HarnessError(code, `${positionals.cell}: ${status}: ${reason ?? 'no reason'}`);
    }
    const explanation = explainRecords(records[0]!, records[1]!);
    output.print(
      options.json ? `${JSON.stringify(explanation, undefined, 2)}\n` : render(explanation),
    );
    return EXIT.fine;
  },
});
export default explain;

/** The same cell twice: to be counted, and to be timed. */
async function planCell(cell: string): Promise<[Plan, Plan]> {
  const parts = cell.split('/');
  if (parts.length === 4) parts.unshift('explain');
  const [suiteName, pipeline, implementation, workload, threadsText] = parts;
  const threads = Number(/^t(\d{1,4})$/.exec(threadsText ?? '')?.[1]);
  if (parts.length !== 5 || !(threads >= 1)) {
    throw badInput(
      `explain: expected a cell as in double-ratchet/native/chat/t1, found ${quoted(cell)}; ` +
        'run prints the names of its cells',
    );
  }
  const name = parseName(pipeline!).name;
  const pipelines = await loadPipelines([name]);
  const isAsynchronous = pipelines.get(name)?.foreign?.asynchronous === true;
  const loaded = {
    suite: {
      name: suiteName!,
      ...(isAsynchronous ? { cpu: 'process' as const } : {}),
      title: 'One cell',
      question: 'What is a message of this cell made of?',
      analysis: [],
      matrix: [
        {
          pipelines: [pipeline!],
          implementations: [implementation!],
          workloads: [workload!],
          threads: [threads],
        },
      ],
    },
    file: 'CELL',
    digest: '',
    workloads: new Map([[workload!, await loadWorkload(workload!)]]),
  };
  const known = { pipelines, providers: await listNames(PROVIDERS_DIR) };
  const options = { budget: 'quick', repeats: 1, seed: SEED } as const;
  return [
    planSuite(loaded, known, { ...options, purpose: 'verify' }),
    planSuite(loaded, known, { ...options, purpose: 'measure' }),
  ];
}

function explainRecords(counted: RepeatRecord, timed: RepeatRecord): Explanation {
  const countedMessages = sum(counted.shards.map((shard) => shard.counted.messages));
  const messages = sum(timed.shards.map((shard) => shard.messages.sent));
  const wire = timed.shards.flatMap((shard) => Object.entries(shard.wire));
  const frames = addUp(wire.map(([kind, of]) => ({ [kind]: of.frames })));
  const bytes = addUp(wire.map(([kind, of]) => ({ [kind]: of.bytes })));
  const stages = TIMED.map(({ id, role }) => {
    return { stage: id, role, ...sumBatches(timed.shards, id, EVERY_BLOCK) };
  }).filter((stage) => stage.calls > 0);
  const cpuNs = sum(stages.map((stage) => stage.cpuNs));
  return {
    cell: timed.cell,
    countedMessages,
    primitives: TIMED.flatMap(({ id }) => {
      const calls = addUp(counted.shards.map((shard) => shard.counted.calls[id] ?? {}));
      return countPrimitives(id, calls, countedMessages);
    }),
    messages,
    plaintextBytesPerMessage: sum(timed.shards.map((shard) => shard.plaintextBytes)) / messages,
    frames: [...frames]
      .filter(([, count]) => count > 0)
      .map(([kind, count]) => ({
        kind,
        framesPerMessage: count / messages,
        bytesPerMessage: bytes.get(kind)! / messages,
      })),
    stages: stages.map((stage) => ({
      stage: stage.stage,
      role: stage.role,
      cpuNsPerCall: stage.cpuNs / stage.calls,
      share: cpuNs === 0 ? 0 : stage.cpuNs / cpuNs,
    })),
  };
}

/** @param calls `name`, `name:bytes` or `name:bytes+bytes`, to how often it was called. */
function countPrimitives(
  stage: string,
  calls: ReadonlyMap<string, number>,
  messages: number,
): Explanation['primitives'] {
  const counts = new Map<string, { calls: number; bytes: number | undefined }>();
  for (const [key, count] of calls) {
    const [primitive, lengths] = key.split(':', 2);
    const bytes = lengths === undefined ? undefined : sum(lengths.split('+').map(Number)) * count;
    const before = counts.get(primitive!);
    counts.set(primitive!, {
      calls: (before?.calls ?? 0) + count,
      bytes: bytes === undefined ? undefined : (before?.bytes ?? 0) + bytes,
    });
  }
  return [...counts].map(([primitive, { calls: count, bytes }]) => ({
    stage,
    primitive,
    callsPerMessage: count / messages,
    bytesPerCall: bytes === undefined ? null : bytes / count,
  }));
}

function addUp(counts: readonly Readonly<Record<string, number>>[]): Map<string, number> {
  const total = new Map<string, number>();
  for (const [key, count] of counts.flatMap((one) => Object.entries(one))) {
    total.set(key, (total.get(key) ?? 0) + count);
  }
  return total;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function render(explanation: Explanation): string {
  const { cell, countedMessages, primitives, messages, frames, stages } = explanation;
  return [
    textTable(
      `${cell}: calls of primitives`,
      ['stage', 'primitive', 'calls per message', 'bytes per call'],
      primitives.map(({ stage, primitive, callsPerMessage, bytesPerCall }) => [
        stage,
        primitive,
        formatNumber(callsPerMessage),
        bytesPerCall === null ? '' : formatNumber(bytesPerCall),
      ]),
      [`${countedMessages} messages, the opening of their sessions included.`],
    ),
    textTable(
      'Frames on the wire',
      ['kind', 'frames per message', 'bytes per message'],
      frames.map(({ kind, framesPerMessage, bytesPerMessage }) => [
        kind,
        formatNumber(framesPerMessage),
        formatNumber(bytesPerMessage),
      ]),
      [
        `${messages} messages of ${formatNumber(explanation.plaintextBytesPerMessage)} bytes ` +
          'of plaintext on average.',
      ],
    ),
    textTable(
      'CPU by stage',
      ['stage', 'role', 'per call', 'share'],
      stages.map(({ stage, role, cpuNsPerCall, share }) => [
        stage,
        role,
        formatQuantity(cpuNsPerCall, 'ns'),
        formatQuantity(share, 'share'),
      ]),
      ['One repeat: an impression, no measurement.'],
    ),
  ].join('\n');
}
