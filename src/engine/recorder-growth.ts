/**
 * What the recorder keeps of messages: memory before and after millions of them, through the same
 * readings that the timed loops take.
 *
 * @module
 */

import { Recorder } from './recorder.ts';
import { StageReadings } from './stage-readings.ts';
import { readMemory } from '../measure/memory.ts';

/** The stages that every message passes. */
const STAGES = ['send', 'relay-store', 'relay-fetch', 'receive'] as const;
/** Rounds before the first reading, so that what is compiled once is there. */
const FIRST_ROUNDS = 8;
/** Sessions that take turns: their message index grows as in a long conversation. */
const SESSIONS = 1_000;

export interface GrowthSamples {
  /** Messages of a batch. */
  readonly batch: number;
  readonly points: readonly {
    readonly messages: number;
    /** Beyond what there was before the first message, after a full collection. */
    readonly heapBytes: number;
    /** Array buffers included. */
    readonly externalBytes: number;
  }[];
  /** Of what is stored in the end, as JSON. */
  readonly factsBytes: number;
}

/**
 * Needs `--expose-gc`. A round costs about 0.3 ms, most of it the reference kernel.
 *
 * @param messages Recorded in all.
 * @param batch Messages of a round.
 * @param points How often memory is read on the way.
 */
export function sampleRecorderGrowth(
  messages: number,
  batch: number,
  points: number,
): GrowthSamples {
  const recorder = new Recorder(0);
  const readings = new StageReadings(recorder);
  const roundsOfMessage = Math.ceil(SESSIONS / batch);
  let round = 0;
  const record = (rounds: number): void => {
    for (const end = round + rounds; round < end; round++) {
      recorder.beginBlock('traffic', Math.floor(round / roundsOfMessage), batch);
      for (const id of STAGES) {
        if (readings.mode === 'cpu') {
          readings.closeCpu(id, batch, readings.readCpuNs());
        } else {
          const latencies = readings.room(batch);
          for (let i = 0; i < batch; i++) latencies[i] = 1_000 + ((round * batch + i) % 100_000);
          readings.closeLatency(id, batch);
        }
      }
      recorder.endBlock();
    }
  };
  record(FIRST_ROUNDS);
  const before = readMemory();
  const sampled: GrowthSamples['points'][number][] = [];
  for (let point = 1; point <= points; point++) {
    const target = FIRST_ROUNDS + Math.round((messages * point) / points / batch);
    record(target - round);
    const after = readMemory();
    sampled.push({
      messages: (round - FIRST_ROUNDS) * batch,
      heapBytes: after.heapUsedBytes - before.heapUsedBytes,
      externalBytes: after.externalBytes - before.externalBytes,
    });
  }
  return { batch, points: sampled, factsBytes: JSON.stringify(recorder.finish()).length };
}
