/** `target`: measures on this machine the figures that the project sets itself, and judges them. */

import { badInput } from '../../core/errors.ts';
import { quoted } from '../../core/json.ts';
import { hint } from '../../core/nearest.ts';
import { formatEstimate, formatQuantity, scaleFor } from '../../report/numbers.ts';
import { renderTable, type Table } from '../../report/table.ts';
import { readEnvironment, type Environment } from '../../results/environment.ts';
import { median } from '../../stats/quantile.ts';
import {
  measureTargets,
  OVERHEAD_LATENCY_BOUND_NS,
  populationsOf,
  RECORDED_MESSAGES,
  SESSIONS_DEFAULT,
  SESSIONS_MAX,
  SESSIONS_MIN,
  TARGET_NAMES,
  type Estimate,
  type JudgedTarget,
  type PairEvidence,
  type TargetName,
  type TargetResult,
} from '../../runner/targets.ts';
import { defineCommand, EXIT, type Command, type ExitStatus } from '../command.ts';
import { Interruption } from '../interruption.ts';

/** A rough guide to the wait: opening a session took about this on a shared virtual machine. */
const OPENING_MS = 0.7;

const target: Command = defineCommand({
  name: 'target',
  summary: 'Measure the figures that the project sets itself, and judge them',
  details: [
    'ratchet           send and receive of the Double Ratchet, at most 1.6 times the CPU of the',
    '                  library functions that it calls',
    'hpke              an HPKE seal of 32 B, at most 1.8 times its two X25519 operations',
    'escrow-context    what the field of escrow-message-key:context=yes adds to a sender, at most 3',
    '                  times the seal and the HMAC that it computes',
    'attack-key        reading recorded messages of escrow-message-key with the authority key, at',
    '                  most 1.25 times the HPKE opens of their fields: 80 % of their rate',
    'overhead-cpu      what the harness adds to a stage call in CPU batches, at most 20 ns',
    'overhead-latency  the same in latency batches, at most one clock reading and 30 ns',
    'recorder          memory that recording 10 million messages adds, under 1 MB; takes about',
    '                  two minutes',
    'relay-memory      CPU of a relay per request, frames in memory, no TLS, at most 1.25 times that',
    '                  of a bare server that reads the same and answers as many bytes',
    'relay-durable     the same in SQLite, synced before each answer, at most 3 times memory',
    'scaling           messages per second that two workers of one process lose against two',
    '                  processes with one worker each, at most 5 %; takes about three minutes',
    'live-view         CPU of the thread that tells how far a repeat is, at most 1 % of the',
    "                  workers'",
    'retained          memory of an open session, both ends, at most 600 B; takes minutes, as',
    '                  it opens up to --sessions sessions in one process',
    '',
    'Leave the machine alone meanwhile; doctor tells whether it is quiet. Exits with 0 when all',
    'are met, 1 when one is missed and 3 when one could not be measured.',
  ].join('\n'),
  positionals: {
    name: { placeholder: 'NAME', summary: 'one of these', default: 'all' },
  },
  options: {
    sessions: {
      kind: 'integer',
      min: SESSIONS_MIN,
      max: SESSIONS_MAX,
      summary: `of retained: the largest population; ${SESSIONS_DEFAULT} when left out`,
    },
    json: { kind: 'flag', summary: 'print everything as JSON, with each pair of ratchet and hpke' },
  },
  examples: ['target ratchet', 'target retained --sessions 40000', 'target --json'],
  async run({ positionals: { name }, options, output }) {
    const names = TARGET_NAMES.filter((known) => name === 'all' || name === known);
    if (names.length === 0) {
      throw badInput(`target: unknown target ${quoted(name)}; ${hint(name, TARGET_NAMES)}`);
    }
    if (options.sessions !== undefined && !names.includes('retained')) {
      throw badInput(`target: --sessions is for retained, and ${name} opens no such population`);
    }
    const environment = await readEnvironment();
    const sessions = options.sessions ?? SESSIONS_DEFAULT;
    using interruption = new Interruption();
    const targets = await measureTargets({
      names,
      sessions,
      signal: interruption.signal,
      onStart: (started, population) => output.note(progress(started, sessions, population)),
    });
    if (options.json) {
      output.print(`${JSON.stringify({ environment, targets }, undefined, 2)}\n`);
    } else if (targets.length > 0) {
      const tables = tablesOf(targets, environment);
      const terminal = { width: output.printWidth };
      output.print(tables.map((table) => renderTable(table, terminal)).join('\n'));
    }
    if (!interruption.signal.aborted) return statusOf(targets);
    output.note(`interrupted: ${targets.length} of ${names.length} targets were measured\n`);
    return interruption.status;
  },
});
export default target;

function progress(name: TargetName, sessions: number, population: number | undefined): string {
  if (population === undefined) return `measuring ${name} ...\n`;
  const populations = populationsOf(sessions);
  const seconds = Math.ceil((population * OPENING_MS) / 1_000);
  const wait = seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} minutes`;
  return (
    `measuring ${name}: process ${populations.indexOf(population) + 1} of ${populations.length}, ` +
    `${grouped(population)} sessions, about ${wait} ...\n`
  );
}

/** That a target could not be measured weighs more than that another is missed. */
export function statusOf(targets: readonly TargetResult[]): ExitStatus {
  if (targets.some(({ verdict }) => verdict === 'failed')) return EXIT.failed;
  return targets.some(({ verdict }) => verdict === 'missed') ? EXIT.gateFailed : EXIT.fine;
}

/** The verdicts, and for each target of pairs where its time goes. */
export function tablesOf(targets: readonly TargetResult[], environment: Environment): Table[] {
  const { cpuModel, availableCores, node } = environment;
  const verdicts: Table = {
    title: `Targets on ${cpuModel}, ${availableCores} cores, Node ${node}`,
    columns: ['target', 'at most', 'measured', 'ours', 'raw', 'from', 'verdict'].map((title) => ({
      title,
    })),
    rows: targets.map((result) => ({ cells: verdictCells(result) })),
    notes: [
      'In brackets: 95 % intervals. Those of pairs are of the median over the pairs of one process; ' +
        'another process may differ by more. That of overhead is over processes.',
      ...targets.map((result) => `${result.name}: ${sentence(result)}`),
    ],
  };
  return [
    verdicts,
    ...targets.flatMap((result) =>
      result.verdict !== 'failed' && result.evidence.kind === 'pairs'
        ? [timeTable(result.name, result.evidence)]
        : [],
    ),
  ];
}

function verdictCells(result: TargetResult): (string | undefined)[] {
  if (result.verdict === 'failed') {
    return [result.name, undefined, undefined, undefined, undefined, undefined, 'failed'];
  }
  const { name, verdict, bound, unit, measured, evidence } = result;
  const isRatio = unit === 'ratio';
  const cells = [
    name,
    isRatio ? `${bound} x raw` : formatQuantity(bound, unit),
    isRatio ? `${estimateText(measured, '')} x raw` : estimateText(measured, unit),
  ];
  if (evidence.kind === 'pairs') {
    const { oursNs, rawNs, samples } = evidence;
    const count = samples.oursNs.length;
    return [...cells, timeText(oursNs.value), timeText(rawNs.value), `${count} pairs`, verdict];
  }
  if (evidence.kind === 'servers') {
    const { oursNs, rawNs } = evidence;
    const times = [oursNs, rawNs].map((samples) => timeText(median(samples)));
    return [...cells, ...times, `${oursNs.length} pairs`, verdict];
  }
  const from =
    evidence.kind === 'overhead'
      ? 'several processes'
      : evidence.kind === 'growth'
        ? 'one process'
        : evidence.kind === 'workers'
          ? `${evidence.shares.length} ${evidence.apart === undefined ? 'repeats' : 'pairs'}`
          : `${evidence.populations.length} processes`;
  return [...cells, undefined, undefined, from, verdict];
}

/** What was compared with what. */
const COMPARED: Readonly<Record<TargetName, string>> = {
  ratchet:
    'thread CPU of send and receive of one message of 115 B, Double Ratchet over native without ' +
    'hop and store, against the same calls of sodium-native at the same lengths on buffers made ' +
    'beforehand. Median of the ratios within pairs; the first side alternates.',
  hpke:
    'thread CPU of an HPKE seal of 32 B over native, against one multiplication of the base point ' +
    'and one agreement by sodium-native. Median of the ratios within pairs; the first side ' +
    'alternates.',
  'escrow-context':
    'thread CPU of sending one message of 115 B on a chain that has begun, escrow-message-key with ' +
    'context=yes over native less double-ratchet, against one seal of 32 B and one HMAC composed ' +
    'over the SHA-256 of sodium-native. Median of the ratios; the order alternates.',
  'attack-key':
    'thread CPU of recovering one message of escrow-message-key over native from what the relay ' +
    'stored, its seal included, with the authority key: every message of 25 conversations, compared ' +
    'with what was said before and after; against one HPKE open of 32 B by the same provider. Median ' +
    'of the ratios within pairs; the first side alternates. 1.25 times the cost is 80 % of the rate.',
  'overhead-cpu':
    'CPU per stage call of the engine minus that of a plain loop over the same calls, pipeline ' +
    'plaintext over null; the worst of four stages, judged by the upper end. Each batch also holds ' +
    'one reading of the CPU: 1 % of the 150 us that its cheapest stage lasts, and subtracted where ' +
    'a stage is shorter.',
  'overhead-latency':
    'latency that the engine records per stage call minus the time of a plain loop over the same ' +
    'calls, pipeline plaintext over null; the worst of four stages, judged by the upper end.',
  recorder:
    'growth of heap and array buffers, after full collections, from before the first to after the ' +
    `last of ${grouped(RECORDED_MESSAGES)} messages, CPU and latency in turn; the largest on the way.`,
  'relay-memory':
    'CPU of the server’s process per request at saturation, frames of 256 B in memory without TLS, ' +
    'against a bare node:http server that reads the same bodies and answers as many bytes. Load by ' +
    'autocannon in another process over 256 connections each; both servers at once, on one core of ' +
    'which a process that only computes takes a third; fresh processes every two pairs; median of ' +
    'the ratios within pairs.',
  'relay-durable':
    'the same with SQLite (WAL, synchronous=FULL, answered after the commit), against the relay in ' +
    'memory. Waiting for the disk is no CPU: it shows in latency.',
  scaling:
    'the share by which two workers in one process carry fewer messages per second than two ' +
    'processes with one worker each that are started together, opening included; Double Ratchet ' +
    'over native without hop and store. Median over pairs; the first side alternates.',
  'live-view':
    "thread CPU of the main thread of a repeat with two workers, as a share of the workers', while " +
    'it tells once a second how far they are; the start of the pool is in it. Median over repeats.',
  retained:
    'slope of heap and external memory, array buffers included, over the sessions of fresh ' +
    'processes, after a full collection. Double Ratchet over native without hop and store, both ' +
    'ends, the same 2,000 users, two messages a session, no skipped keys; what the harness itself ' +
    'keeps for a session is in it.',
};

function sentence(result: TargetResult): string {
  if (result.verdict === 'failed') return `could not be measured: ${result.reason}`;
  return `${COMPARED[result.name]}${detail(result)}`;
}

function detail({ name, evidence }: JudgedTarget): string {
  if (evidence.kind === 'pairs' || name === 'overhead-cpu') return '';
  if (evidence.kind === 'servers') {
    return (
      ` Each server was busy for at least ${formatQuantity(evidence.busyShare, 'share')} of each slot; ` +
      `${evidence.repeated} slots were repeated.`
    );
  }
  if (evidence.kind === 'overhead') {
    const more = timeText(OVERHEAD_LATENCY_BOUND_NS);
    return ` One reading of the clock takes ${timeText(evidence.clockReadNs)} here; ${more} more are allowed.`;
  }
  if (evidence.kind === 'workers') {
    const { together, apart } = evidence;
    if (together === undefined || apart === undefined) return '';
    const text = (rates: readonly number[]): string => grouped(Math.round(median(rates)));
    return ` Medians: ${text(together)} messages/s together, ${text(apart)} apart.`;
  }
  if (evidence.kind === 'growth') {
    const { batch, points, factsBytes } = evidence;
    const last = points.at(-1)!;
    const heap = formatQuantity(last.heapBytes, 'B');
    const external = formatQuantity(last.externalBytes, 'B');
    return (
      ` Batches of ${batch}; in the end ${heap} of heap, compiled code included, and ${external} ` +
      `outside it. What is stored of them is ${formatQuantity(factsBytes, 'B')} of JSON.`
    );
  }
  const points = evidence.populations.map(({ sessions, heapBytes, externalBytes }) => {
    return `${grouped(sessions)} sessions ${formatQuantity(heapBytes + externalBytes, 'B')}`;
  });
  const fixed = formatQuantity(evidence.fixedBytes, 'B');
  return ` Measured: ${points.join(', ')}; ${fixed} of it do not depend on their number.`;
}

function timeTable(name: TargetName, { oursNs, rawNs, calls }: PairEvidence): Table {
  const unit = name === 'hpke' ? 'seal' : 'message';
  const timed = calls.flatMap(({ name: call, count, eachNs }) =>
    eachNs === null ? [] : [{ call, count, eachNs, ns: count * eachNs }],
  );
  const restNs = oursNs.value - rawNs.value;
  const composed = calls.filter(({ eachNs }) => eachNs === null);
  const share = (ns: number): string => formatQuantity(ns / oursNs.value, 'share');
  return {
    title: `${name}: where the CPU of one ${unit} goes`,
    columns: ['call', `calls per ${unit}`, 'each', `per ${unit}`, 'share'].map((title) => ({
      title,
    })),
    rows: [
      ...timed.map(({ call, count, eachNs, ns }) => ({
        cells: [call, String(count), timeText(eachNs), timeText(ns), share(ns)],
      })),
      { cells: ['all the rest', undefined, undefined, timeText(restNs), share(restNs)] },
      { cells: ['ours', undefined, undefined, timeText(oursNs.value), share(oursNs.value)] },
    ],
    notes: [
      'Calls of the library by name and input bytes, for an AEAD associated data + plaintext. ' +
        'They share the raw CPU above in proportion to what each takes when called by itself; the ' +
        'rest is what ours takes beyond raw.',
      ...composed.map(
        ({ name: call, count }) =>
          `${call}, ${count} per ${unit}, is composed of the calls above and not counted again.`,
      ),
    ],
  };
}

/** `1.47 [1.45, 1.49]`, with a unit after it where there is one. */
function estimateText({ value, low, high }: Estimate, unit: string): string {
  const scale = scaleFor(unit, [value]);
  const text = formatEstimate({ value, low, high, repeats: 0 }, scale);
  return scale.unit === '' ? text : `${text} ${scale.unit}`;
}

function timeText(ns: number): string {
  return formatQuantity(ns, 'ns');
}

function grouped(count: number): string {
  return count.toLocaleString('en-US');
}
