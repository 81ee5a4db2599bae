/**
 * What a conversation is held over: a pipeline's world with its parties, and the conversation itself.
 *
 * @module
 */

import { Conversation, type BlockRecorder, type Parties } from './conversation.ts';
import type { Buffers } from './batch.ts';
import type { FactsDigest } from './digest.ts';
import type { Payload } from './payload.ts';
import { isAsynchronous } from './async-client-loops.ts';
import { poisonAsyncClients, poisonAuthority, poisonClients, poisonRelay } from './poison.ts';
import type { RepeatSpec } from './spec.ts';
import { badInput, HarnessError } from '../core/errors.ts';
import type { Provider } from '../crypto/provider.ts';
import { providerRandomness, seededRandomness } from '../crypto/randomness.ts';
import type { CpuBasis } from '../measure/facts.ts';
import { PackedMembers } from '../pipelines/_members.ts';
import type { Authority, Pipeline, World } from '../pipelines/_pipeline.ts';
import type { Behaviour } from '../workload/behaviour.ts';
import type { Script } from '../workload/script.ts';

/** What a shard joins; the worker loads them by name. */
export interface ShardParts {
  readonly pipeline: Pipeline;
  readonly provider: Provider;
  readonly behaviour: Behaviour;
}

/** What is measured; nothing else refers to it, so that letting go of it frees all of it. */
export interface Live {
  readonly world: World;
  readonly parties: Parties;
  readonly conversation: Conversation;
}

export async function openLive(
  spec: RepeatSpec,
  shard: number,
  parts: ShardParts,
  script: Script,
  payload: Payload,
  recorder: BlockRecorder,
  digest: FactsDigest,
  batch: number,
  buffers?: Buffers,
): Promise<Live> {
  const world = await openWorld(parts, spec, script, shard);
  const parties = partiesOf(parts, spec, world, script);
  const { pipeline } = parts;
  const conversation = new Conversation(
    parties,
    script,
    payload,
    pipeline,
    recorder,
    digest,
    batch,
    buffers,
  );
  return { world, parties, conversation };
}

async function openWorld(
  { pipeline, provider }: ShardParts,
  spec: RepeatSpec,
  script: Script,
  shard: number,
): Promise<World> {
  const world = await pipeline.open({
    provider,
    randomness: randomnessOf(spec, provider, shard, 1),
    users: script.users,
    members: new PackedMembers(script.members),
    options: spec.options,
    seed: spec.seed,
  });
  if (isAsynchronous(world.clients) && spec.purpose === 'measure' && basisOf(spec) === 'thread') {
    throw badInput(
      `${spec.cell}: expected the CPU of the process to be read, because the calls of ` +
        `${pipeline.name} are asynchronous and may compute on other threads; set "cpu": "process" ` +
        'and "threads": [1] in the suite',
    );
  }
  return world;
}

/** Builds relay and authority from their serialised secrets, as another process would. */
function partiesOf(
  { pipeline, provider }: ShardParts,
  spec: RepeatSpec,
  world: World,
  script: Script,
): Parties {
  const members = new PackedMembers(script.members);
  const relay = pipeline.openRelay({
    provider,
    randomness: randomnessOf(spec, provider, 0, 2),
    secret: world.relay,
    options: spec.options,
  });
  const authority = openAuthority(pipeline, provider, world, members, spec.options);
  const poisoned = spec.purpose === 'verify';
  return {
    clients: poisoned ? poisonEither(world.clients) : world.clients,
    relay: poisoned ? poisonRelay(relay) : relay,
    authority: poisoned && authority !== undefined ? poisonAuthority(authority) : authority,
    members,
    senders: world.senders,
    targets: world.targets,
    evidence: world.evidence,
    evidenceFrom: world.evidenceFrom,
    answersLate: world.answersLate,
    standsAlone: world.standsAlone,
  };
}

function poisonEither(clients: World['clients']): World['clients'] {
  return isAsynchronous(clients) ? poisonAsyncClients(clients) : poisonClients(clients);
}

/** @throws HarnessError WRONG_RESULT when there are secrets of an authority that nobody can use. */
function openAuthority(
  pipeline: Pipeline,
  provider: Provider,
  { authority: secrets, directory }: World,
  members: PackedMembers,
  options: RepeatSpec['options'],
): Authority | undefined {
  if (secrets === undefined) return undefined;
  if (pipeline.openAuthority === undefined) {
    const reason = `${pipeline.name} has the secrets of an authority but does not open one`;
    throw new HarnessError('WRONG_RESULT', reason);
  }
  return pipeline.openAuthority({ provider, secrets, directory, members, options });
}

function randomnessOf(
  spec: RepeatSpec,
  provider: Provider,
  shard: number,
  stream: number,
): ReturnType<typeof providerRandomness> {
  return spec.randomness === 'seeded'
    ? seededRandomness(spec.seed, shard, stream)
    : providerRandomness(provider);
}

/** @throws HarnessError BAD_INPUT for more threads than the CPU of a process can be told apart by. */
export function basisOf({ cell, cpu = 'thread', threads }: RepeatSpec): CpuBasis {
  if (cpu === 'process' && threads !== 1) {
    throw badInput(
      `${cell}: expected 1 thread, because the CPU of the process is read ("cpu": "process") and ` +
        `holds that of all threads, found ${threads}; choose "threads": [1]`,
    );
  }
  return cpu;
}
