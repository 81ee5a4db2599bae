/**
 * What the harness itself costs, as the run calibrated it, and how much of a figure that is.
 *
 * @module
 */

import { z } from 'zod';
import { badInput } from '../core/errors.ts';
import { TIMED, type TimedId } from '../measure/facts.ts';
import type { Series } from './cells.ts';
import type { Estimate } from './estimates.ts';
import { formatNumber, formatQuantity } from './numbers.ts';

/** Above this share of a figure, the harness is pointed out beside it. */
export const OVERHEAD_FLAGGED = 0.05;

const calibrated = z.object({
  value: z.number(),
  low: z.number().nullish(),
  high: z.number().nullish(),
  repeats: z.int().nonnegative().optional(),
});

const emptyCallsSchema = z.partialRecord(
  z.enum(TIMED.map(({ id }) => id)),
  z.number().nonnegative(),
);

/** The part of a manifest's calibration that reports use; further parts are left alone. */
const calibrationSchema = z.object({
  overhead: z
    .object({
      cpuNs: calibrated,
      latencyNs: calibrated,
      emptyCallNs: emptyCallsSchema.optional(),
    })
    .optional(),
});

/** CPU of a call that computes nothing, in ns, by stage; of the stages that were calibrated. */
export type EmptyCalls = Partial<Record<TimedId, number>>;

/** What the harness itself costs per call, measured with a provider that computes nothing. */
export interface Overhead {
  readonly cpuNs: Estimate;
  readonly latencyNs: Estimate;
  readonly emptyCallNs: EmptyCalls;
}

/**
 * @returns undefined where the run was not calibrated.
 * @throws HarnessError BAD_INPUT for a calibration that is not one.
 */
export function overheadOf({
  calibration,
}: {
  readonly calibration?: unknown;
}): Overhead | undefined {
  if (calibration === undefined || calibration === null) return undefined;
  const parsed = calibrationSchema.safeParse(calibration);
  if (!parsed.success) {
    throw badInput(
      'manifest.json: calibration: expected overhead with cpuNs and latencyNs, each with a ' +
        '"value"; the file was changed or written by another version',
    );
  }
  const { overhead } = parsed.data;
  if (overhead === undefined) return undefined;
  const { cpuNs, latencyNs, emptyCallNs = {} } = overhead;
  return {
    cpuNs: estimateFrom(cpuNs),
    latencyNs: estimateFrom(latencyNs),
    emptyCallNs: Object.fromEntries(
      Object.entries(emptyCallNs).filter(([, ns]) => ns !== undefined),
    ),
  };
}

function estimateFrom({ value, low, high, repeats = 0 }: z.infer<typeof calibrated>): Estimate {
  return { value, low: low ?? undefined, high: high ?? undefined, repeats };
}

/**
 * The harness's part of a figure; undefined where it has none, or where it is not known.
 *
 * @param value The figure, in ns.
 */
export function overheadShare(
  series: Omit<Series, 'values'>,
  value: number,
  overhead: Overhead | undefined,
): number | undefined {
  if (overhead === undefined || !(value > 0)) return undefined;
  if (series.metric === 'latency') return Math.max(0, overhead.latencyNs.value) / value;
  const calls = callsIn(series);
  return calls === undefined ? undefined : (calls * Math.max(0, overhead.cpuNs.value)) / value;
}

/** "the harness itself is 21 % of it (51.1 ns of each call)"; '' where it is little. */
export function overheadWarning(
  series: Omit<Series, 'values'>,
  value: number,
  overhead: Overhead | undefined,
): string {
  const share = overheadShare(series, value, overhead);
  if (overhead === undefined || share === undefined || share <= OVERHEAD_FLAGGED) return '';
  const each = series.metric === 'latency' ? overhead.latencyNs : overhead.cpuNs;
  return (
    `the harness itself is ${formatNumber(share * 100)} % of it ` +
    `(${formatQuantity(each.value, 'ns')} of each call)`
  );
}

/** A message is sent, stored, fetched and received. */
const CALLS_PER_MESSAGE: Readonly<Record<string, number>> = {
  sender: 1,
  relay: 2,
  receiver: 1,
  authority: 1,
  all: 4,
};
/** A session is published for, initiated and accepted. */
const CALLS_PER_OPENING: Readonly<Record<string, number>> = { sender: 1, receiver: 2, all: 3 };

/** How many calls of stages a figure of CPU holds, each with its overhead. */
function callsIn({ metric, role, kind }: Omit<Series, 'values'>): number | undefined {
  switch (metric) {
    case 'cpu':
      return 1;
    case 'cpu-per-message':
    case 'cpu-per-message-amortised':
      // What falls to each carried message is a small share of the others.
      return kind === 'per-carried' ? undefined : CALLS_PER_MESSAGE[role];
    case 'cpu-by-index':
      return CALLS_PER_MESSAGE[role];
    case 'cpu-opening':
      return CALLS_PER_OPENING[role];
    default:
      return undefined;
  }
}
