/** `doctor`: whether this machine can measure, and what would make it measure better. */

import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { calibrateClock } from '../../measure/clock.ts';
import { calibrateCpu } from '../../measure/cpu.ts';
import { defineCommand, EXIT, type Command } from '../command.ts';
import { observeNoise, type Noise } from '../noise.ts';
import { textTable } from '../table.ts';

const OBSERVED_MS = 2_000;

/**
 * Above the first limit a figure gets visibly wider intervals; above the second, repeats of one
 * cell differ by more than most rungs of the ladder do. A kernel spread of 1.5 was met on shared
 * virtual machines that gave usable ratios and useless absolute times.
 */
const LIMITS = {
  runDelayShare: [0.01, 0.1],
  stealShare: [0.001, 0.05],
  kernelSpread: [1.1, 1.75],
} as const;

/** The finest stage batches last 150 us; a coarser CPU clock gives no figures per stage. */
const COARSEST_CPU_STEP_NS = 50_000;

type Verdict = 'quiet' | 'noisy' | 'too noisy';

interface Examination {
  readonly cores: number;
  readonly cpuModel: string;
  readonly memoryBytes: number;
  /** Absent where the system does not say. */
  readonly virtualised?: boolean;
  readonly governor?: string;
  readonly load1: number;
  readonly clockStepNs: number;
  readonly clockReadNs: number;
  readonly cpuStepNs: number;
  readonly cpuReadNs: number;
  readonly noise: Noise;
}

const doctor: Command = defineCommand({
  name: 'doctor',
  summary: 'Tell whether this machine can measure, and what to change',
  details: 'Computes for two seconds on one core. Exits with 4 when the machine is too noisy.',
  positionals: {},
  options: { json: { kind: 'flag', summary: 'print the readings as JSON' } },
  examples: ['doctor', 'doctor --json'],
  async run({ options, output }) {
    const examination = await examine();
    const verdict = judge(examination);
    const advice = advise(examination, verdict);
    output.print(
      options.json
        ? `${JSON.stringify({ verdict, ...examination, advice }, undefined, 2)}\n`
        : render(examination, verdict, advice),
    );
    return verdict === 'too noisy' ? EXIT.undecided : EXIT.fine;
  },
});
export default doctor;

async function examine(): Promise<Examination> {
  const cores = availableParallelism();
  const cpuInfo = await readIfThere('/proc/cpuinfo');
  const governor = await readIfThere('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor');
  const load1 = loadavg()[0]!;
  return {
    cores,
    cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
    memoryBytes: totalmem(),
    // x86 says so in its flags; elsewhere it is unknown.
    ...(cpuInfo !== undefined && /^flags\s*:/m.test(cpuInfo)
      ? { virtualised: /^flags\s*:.*\bhypervisor\b/m.test(cpuInfo) }
      : {}),
    ...(governor === undefined ? {} : { governor: governor.trim() }),
    load1,
    ...calibrateClock(),
    ...calibrateCpu(),
    noise: observeNoise(OBSERVED_MS, cores),
  };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}

function judge({ noise, cpuStepNs }: Examination): Verdict {
  if (cpuStepNs > COARSEST_CPU_STEP_NS) return 'too noisy';
  let worst: Verdict = 'quiet';
  for (const key of ['runDelayShare', 'stealShare', 'kernelSpread'] as const) {
    const value = noise[key];
    if (value === undefined) continue;
    if (value > LIMITS[key][1]) return 'too noisy';
    if (value > LIMITS[key][0]) worst = 'noisy';
  }
  return worst;
}

function advise(
  { cores, virtualised, governor, load1, cpuStepNs, noise }: Examination,
  verdict: Verdict,
): string[] {
  const advice: string[] = [];
  if (verdict === 'quiet') {
    advice.push('Absolute figures are usable. Publish with --budget standard or thorough.');
  } else if (verdict === 'noisy') {
    advice.push(
      'Compare only what ran within one run: its repeats are interleaved, so that ratios hold ' +
        'where absolute figures drift. Use --budget standard or thorough.',
    );
  } else {
    advice.push(
      'Repeats will differ by more than most protections cost. Do not publish from here.',
    );
  }
  if (cpuStepNs > COARSEST_CPU_STEP_NS) {
    advice.push(
      `The CPU clock moves in steps of ${formatNs(cpuStepNs)}: there are no figures per stage. ` +
        'Use a Linux kernel without a system call filter around getrusage.',
    );
  }
  if (load1 > 0.5 * cores || exceeds(noise.runDelayShare, LIMITS.runDelayShare[0])) {
    advice.push('Other programs of this machine compete for the cores: stop them.');
  }
  if (exceeds(noise.stealShare, LIMITS.stealShare[0])) {
    advice.push('The hypervisor gives time to other machines: use dedicated cores.');
  }
  if (noise.kernelSpread > LIMITS.kernelSpread[0]) {
    advice.push(
      virtualised === true
        ? 'The same work takes a varying time: neighbours share the core, its caches or its clock ' +
            'rate. A physical or dedicated machine is quieter.'
        : 'The same work takes a varying time: fix the clock rate and leave the machine alone.',
    );
  }
  if (governor !== undefined && governor !== 'performance') {
    advice.push(
      `The clock rate follows the load (governor ${governor}): ` +
        'run "cpupower frequency-set -g performance" as root.',
    );
  }
  if (cores < 2) {
    advice.push('With one core the parent process and the collector disturb what is measured.');
  } else {
    advice.push(`Use --threads up to ${cores}; each thread of load occupies one core.`);
  }
  return advice;
}

function exceeds(value: number | undefined, limit: number): boolean {
  return value !== undefined && value > limit;
}

function render(examination: Examination, verdict: Verdict, advice: readonly string[]): string {
  const { noise, virtualised } = examination;
  const table = textTable(
    '',
    ['', 'on this machine'],
    [
      ['CPU', `${examination.cpuModel}, ${examination.cores} cores`],
      ['memory', `${(examination.memoryBytes / 2 ** 30).toFixed(1)} GiB`],
      ['virtualised', virtualised === undefined ? 'unknown' : virtualised ? 'yes' : 'no'],
      ['governor', examination.governor ?? 'unknown'],
      ['load, 1 minute', examination.load1.toFixed(2)],
      ['wall clock', clockLine(examination.clockStepNs, examination.clockReadNs)],
      ['CPU clock', clockLine(examination.cpuStepNs, examination.cpuReadNs)],
      ['waited for a core', formatShare(noise.runDelayShare)],
      ['stolen by the hypervisor', formatShare(noise.stealShare)],
      [
        'same work, repeated',
        `${formatNs(noise.kernelNs)} of CPU; 95th percentile / 5th = ${noise.kernelSpread.toFixed(2)}`,
      ],
    ],
  );
  return `${table}\nThis machine is ${verdict}.\n${advice.map((line) => `- ${line}\n`).join('')}`;
}

function formatShare(share: number | undefined): string {
  return share === undefined ? 'unknown' : `${(share * 100).toFixed(2)} %`;
}

function clockLine(stepNs: number, readNs: number): string {
  return `steps of ${formatNs(stepNs)}, ${formatNs(readNs)} to read`;
}

function formatNs(ns: number): string {
  if (ns >= 1e6) return `${(ns / 1e6).toFixed(1)} ms`;
  return ns >= 1e3 ? `${(ns / 1e3).toFixed(1)} us` : `${ns.toFixed(0)} ns`;
}
