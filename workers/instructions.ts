/**
 * Child process: one repeat on its only thread, for a program that counts instructions. A spec comes
 * in on stdin as one JSON line; what goes out is whether every message was delivered.
 *
 * @module
 */

import type { RepeatSpec } from '../src/engine/spec.ts';
import { createBarrier } from '../src/measure/barrier.ts';
import shard from './shard.ts';

let input = '';
for await (const chunk of process.stdin.setEncoding('utf8')) input += String(chunk);
const spec = JSON.parse(input) as RepeatSpec;
const answer = await shard({
  spec,
  shard: 0,
  firstSession: 0,
  sessions: spec.workload.sessions,
  barrier: createBarrier(),
  originNs: 0,
});
const result =
  'failure' in answer
    ? { failure: answer.failure.message }
    : { delivered: answer.facts.messages.delivered, faults: answer.facts.faults.count };
process.stdout.write(`${JSON.stringify(result)}\n`);
