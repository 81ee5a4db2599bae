/**
 * Child process: samples one of the project's own targets; prints one JSON line.
 *
 * @module
 */

import { loadByName } from '../src/core/discover.ts';
import { HarnessError } from '../src/core/errors.ts';
import {
  ADVERSARIES_DIR,
  BEHAVIOURS_DIR,
  PIPELINES_DIR,
  PROVIDERS_DIR,
} from '../src/core/paths.ts';
import type { PrimitiveName, Provider, ProviderModule } from '../src/crypto/provider.ts';
import { providerRandomness } from '../src/crypto/randomness.ts';
import { sampleFieldPairs } from '../src/engine/escrow-pairs.ts';
import { sampleMessagePairs, samplePairs, type Pairs } from '../src/engine/raw-pairs.ts';
import { sampleRecorderGrowth } from '../src/engine/recorder-growth.ts';
import type { ReadingAdversary } from '../src/exposure/adversary.ts';
import { attackSides } from '../src/exposure/attack-sides.ts';
import { readThreadCpuNs } from '../src/measure/cpu.ts';
import type { Pipeline } from '../src/pipelines/_pipeline.ts';
import { Hpke } from '../src/protocols/hpke.ts';
import { rawNativeCalls, type RawCalls } from '../src/providers/_native-raw.ts';
import type { Behaviour } from '../src/workload/behaviour.ts';
import type { Workload } from '../src/workload/workload.ts';
import { endWithParent } from '../src/runner/lifeline.ts';

endWithParent();

const PAIRS = 40;
const HPKE_SEALS = 100;
/** Of a whole town; the first ones run code that is not compiled yet. */
const ATTACK_WARMUPS = 5;
/** Of each raw call by itself: batches, of which each lasts long beside the CPU clock's step. */
const BATCHES = 21;
const WARMUP_BATCHES = 3;
const BATCH_CALLS = 200;

function loadPipeline(name: string): Promise<Pipeline> {
  return loadByName<Pipeline>(PIPELINES_DIR, name, 'pipeline');
}

async function sampleRatchet(provider: Provider, rawCall: RawCalls): Promise<Pairs> {
  const parts = {
    pipeline: await loadPipeline('double-ratchet'),
    provider,
    behaviour: await loadByName<Behaviour>(BEHAVIOURS_DIR, 'one-way', 'behaviour'),
  };
  return sampleMessagePairs(parts, rawCall, PAIRS);
}

/** What the field of E3 in context mode adds to a sender's message, against its seal and its HMAC. */
async function sampleContext(provider: Provider, rawCall: RawCalls): Promise<Pairs> {
  const withField = await loadPipeline('escrow-message-key');
  const escrowed = { pipeline: withField, options: { context: 'yes' } };
  const plain = { pipeline: await loadPipeline('double-ratchet'), options: {} };
  return sampleFieldPairs(provider, escrowed, plain, rawCall, PAIRS);
}

/** E3, each of whose messages has a field of its own, read with the authority's key. */
async function sampleAttack(provider: Provider, workload: Workload): Promise<Pairs> {
  const { attack, opens, messages, calls, check } = await attackSides({
    pipeline: await loadPipeline('escrow-message-key'),
    adversary: await loadByName<ReadingAdversary>(ADVERSARIES_DIR, 'authority-key', 'adversary'),
    provider,
    behaviour: await loadByName<Behaviour>(BEHAVIOURS_DIR, workload.behaviour, 'behaviour'),
    workload,
  });
  for (let i = 0; i < ATTACK_WARMUPS; i++) {
    check(attack());
    opens();
  }
  let claims = attack();
  const ours = (): void => {
    claims = attack();
  };
  const sampled = samplePairs(PAIRS, ours, opens, messages);
  check(claims);
  return { ...sampled, calls };
}

/** A seal of 32 B against one multiplication of the base point and one agreement. */
function sampleHpke(provider: Provider, rawCall: RawCalls): Pairs {
  const base = rawCall('x25519-base')!;
  const agree = rawCall('x25519')!;
  const hpke = new Hpke(provider);
  const randomness = providerRandomness(provider);
  const recipient = new Uint8Array(32);
  provider.x25519Public(recipient, new Uint8Array(32).fill(3));
  const plaintext = new Uint8Array(32);
  const info = new Uint8Array(16);
  const aad = new Uint8Array(160);
  const out = new Uint8Array(80);
  const ours = (): void => {
    for (let i = 0; i < HPKE_SEALS; i++) {
      hpke.seal(out, randomness, recipient, info, aad, plaintext);
    }
  };
  const raw = (): void => {
    for (let i = 0; i < HPKE_SEALS; i++) {
      base();
      agree();
    }
  };
  for (let i = 0; i < 20; i++) {
    ours();
    raw();
  }
  const calls = { 'x25519-base': 1, x25519: 1 };
  return { ...samplePairs(PAIRS, ours, raw, HPKE_SEALS), calls };
}

/**
 * CPU of each raw call by itself, in ns, one entry per batch. The calls take turns, so that a batch
 * of each meets the same neighbours.
 *
 * @throws Error for a counted call that the raw side lacks: its sum would be too small.
 */
function sampleEach(
  calls: Pairs['calls'],
  rawCall: RawCalls,
  sources: Provider['sources'],
): Record<string, number[]> {
  const timed = Object.keys(calls).flatMap((name) => {
    const call = rawCall(name);
    if (call !== undefined) return [{ name, call, samples: [] as number[] }];
    if (sources[name.split(':')[0] as PrimitiveName] === 'composed') return [];
    throw new Error(`no raw call for ${name}`);
  });
  for (let batch = -WARMUP_BATCHES; batch < BATCHES; batch++) {
    for (const { call, samples } of timed) {
      const before = readThreadCpuNs();
      for (let i = 0; i < BATCH_CALLS; i++) call();
      const ns = (readThreadCpuNs() - before) / BATCH_CALLS;
      if (batch >= 0) samples.push(ns);
    }
  }
  return Object.fromEntries(timed.map(({ name, samples }) => [name, samples]));
}

const SAMPLERS = {
  ratchet: sampleRatchet,
  hpke: sampleHpke,
  'escrow-context': sampleContext,
};

type Question =
  | { readonly target: 'attack-key'; readonly workload: Workload }
  | { readonly target: keyof typeof SAMPLERS }
  | {
      readonly target: 'recorder';
      readonly messages: number;
      readonly batch: number;
      readonly points: number;
    };

async function sample(question: Question): Promise<unknown> {
  const { target } = question;
  if (target === 'recorder') {
    return sampleRecorderGrowth(question.messages, question.batch, question.points);
  }
  try {
    const module = await loadByName<ProviderModule>(PROVIDERS_DIR, 'native', 'provider');
    const provider = await module.load();
    const rawCall = await rawNativeCalls();
    const pairs =
      target === 'attack-key'
        ? await sampleAttack(provider, question.workload)
        : await SAMPLERS[target](provider, rawCall);
    return { ...pairs, eachNs: sampleEach(pairs.calls, rawCall, provider.sources) };
  } catch (error) {
    // What a user can run into, such as a library that is not installed, is an answer too.
    if (error instanceof HarnessError) return { failure: error.message };
    throw error;
  }
}

let input = '';
for await (const chunk of process.stdin.setEncoding('utf8')) input += String(chunk);
process.stdout.write(`${JSON.stringify(await sample(JSON.parse(input) as Question))}\n`);
