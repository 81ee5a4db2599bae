/**
 * Relay and authority are their serialised secrets and nothing else: built in another process from
 * those bytes, and asked what the ones here were asked, they give the same answers.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { toHex, utf8 } from '../../src/core/bytes.ts';
import type { Options, Pipeline } from '../../src/pipelines/_pipeline.ts';
import { ISOLATED, loadAllPipelines, providerOf, optionsOf } from './_parts.ts';
import type { RoleAnswer, RoleTask } from './role-process.ts';
import { SmallWorld } from './_small-world.ts';

const pipelines = await loadAllPipelines();

/** Two sessions, both directions, one message that waits in the store while others pass. */
async function recordedWorld(pipeline: Pipeline, options: Options): Promise<SmallWorld> {
  const world = await SmallWorld.open(pipeline, providerOf(pipeline), options, 2);
  for (const [session, member] of [
    [0, 0],
    [1, 0],
    [0, 1],
    [0, 0],
    [1, 1],
    [1, 0],
  ] as const) {
    const plaintext = utf8(`from member ${member} of session ${session}`);
    const stored = world.store(session, member, world.send(session, member, plaintext));
    const evidence = world.evidence(session, member, stored);
    const delivered = world.fetch(session, 1 - member, stored);
    assert.deepEqual(world.receive(session, 1 - member, delivered), plaintext);
    if (world.authority !== undefined) {
      const recovered = world.recover(session, member, evidence);
      if (pipeline.recovers === 'none') assert.ok(typeof recovered === 'number');
      else assert.deepEqual(recovered, plaintext);
    }
  }
  return world;
}

async function answersElsewhere(world: SmallWorld): Promise<RoleAnswer[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'role-process.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const task: RoleTask = {
    provider: world.provider.name,
    pipeline: world.pipeline.name,
    options: world.options,
    relay: toHex(world.world.relay),
    authority: (world.world.authority ?? []).map(toHex),
    directory: toHex(world.world.directory),
    members: [...world.members.users],
    calls: world.calls.map(({ call, numbers, input }) => ({ call, numbers, input: toHex(input) })),
  };
  child.stdin.end(JSON.stringify(task));
  return JSON.parse(await text(child.stdout)) as RoleAnswer[];
}

for (const pipeline of pipelines) {
  // With all that is sealed where it is deployed; an authority also with nothing around the ends.
  const variants = pipeline.openAuthority === undefined ? [{}] : [{}, ISOLATED];
  for (const changes of variants) {
    const options = optionsOf(pipeline, changes);
    const words = changes === ISOLATED ? ' without hops and sealing at rest' : '';
    test(`${pipeline.name}${words}: another process gives the same answers from the same secrets`, async () => {
      const world = await recordedWorld(pipeline, options);
      const answers = await answersElsewhere(world);
      assert.equal(answers.length, world.calls.length);
      world.calls.forEach(({ call, length, output }, i) => {
        const here = { length, output: toHex(output) };
        assert.deepEqual(answers[i], here, `${call}, call ${i}`);
      });
    });
  }
}
