/**
 * What a search for saturation is asked: the bound, and where to look.
 *
 * @module
 */

import { z } from 'zod';
import { ARRIVALS_MAX } from './arrivals.ts';

const perSecond = z.number().min(1).max(1_000_000);

/** So that 40 messages of a window took longer than the percentile that is bounded. */
const WINDOW_MESSAGES_MIN = 4_000;

/** A window must be so many times as long as the bound, or it ends before a queue can miss it. */
const BOUNDS_PER_WINDOW = 50;

export const saturationSchema = z
  .strictObject({
    p99Ms: z
      .number()
      .min(0.01)
      .max(10_000)
      .describe('1 message in 100 may take longer than so many ms from its scheduled moment.'),
    minPerSecond: perSecond.describe('No lower rate is tried.'),
    startPerSecond: perSecond.describe('The first rate.'),
    maxPerSecond: perSecond.describe('No higher rate is tried.'),
    windowSeconds: z
      .number()
      .min(0.05)
      .max(600)
      .describe('How long a rate is offered at a time, at least; it takes 4,000 messages too.'),
    resolution: z
      .number()
      .min(0.01)
      .max(1)
      .describe('How close, as a share, the rate that meets and the one that misses must be.'),
  })
  .refine(
    ({ minPerSecond, startPerSecond, maxPerSecond }) =>
      minPerSecond <= startPerSecond && startPerSecond <= maxPerSecond,
    {
      error: 'minPerSecond, startPerSecond and maxPerSecond in this order',
      path: ['startPerSecond'],
    },
  )
  .refine(({ p99Ms, windowSeconds }) => windowSeconds * 1e3 >= p99Ms * BOUNDS_PER_WINDOW, {
    error: `a window of at least ${BOUNDS_PER_WINDOW} times p99Ms`,
    path: ['windowSeconds'],
  })
  .refine(
    ({ maxPerSecond, windowSeconds }) =>
      windowMessages(maxPerSecond, windowSeconds) <= ARRIVALS_MAX,
    {
      error: `at most ${ARRIVALS_MAX} messages in a window of windowSeconds at maxPerSecond`,
      path: ['maxPerSecond'],
    },
  );

/** Messages of a window. @param rate Of messages per second. */
export function windowMessages(rate: number, windowSeconds: number): number {
  return Math.max(WINDOW_MESSAGES_MIN, Math.round(rate * windowSeconds));
}

export type Saturation = z.infer<typeof saturationSchema>;
