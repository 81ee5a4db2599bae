/**
 * Mounts every adversary on every town of a cell, one town after the other, and adds up what came of
 * it: a pure function of its spec, but for CPU and hand-over times.
 *
 * @module
 */

import type { Provider } from '../crypto/provider.ts';
import { countPrimitives } from '../crypto/counting.ts';
import { readThreadCpuNs } from '../measure/cpu.ts';
import { nowNs } from '../measure/clock.ts';
import type { AttackFacts, ExposureFacts } from '../measure/exposure-facts.ts';
import type { Options, Pipeline } from '../pipelines/_pipeline.ts';
import type { Behaviour } from '../workload/behaviour.ts';
import type { Workload } from '../workload/workload.ts';
import {
  isNotMounted,
  type Adversary,
  type Mount,
  type Played,
  type ReadingAdversary,
} from './adversary.ts';
import {
  openAuthority,
  opensOneByOne,
  openUserDays,
  readWithAuthority,
} from './authority-reader.ts';
import { openStored } from './layers.ts';
import { addMetadata, lengthBits, newMetadata, type Metadata } from './metadata.ts';
import { addMount, newTally, type Tally } from './score.ts';
import { sharedOf } from './shared-readings.ts';
import { holdTown, type Town } from './town.ts';
import { countTowns, TOWN_SESSIONS, writeTownScript } from './town-script.ts';

export interface ExposureSpec {
  readonly options: Options;
  readonly workload: Workload;
  readonly seed: number;
  /** How far back the relay keeps frames. */
  readonly retentionDays: number;
}

export interface ExposureParts {
  readonly pipeline: Pipeline;
  readonly provider: Provider;
  readonly behaviour: Behaviour;
  readonly adversaries: readonly Adversary[];
}

interface Gathered {
  readonly tallies: Map<string, { readonly of: Omit<AttackFacts, keyof Sums>; tally: Tally }>;
  readonly played: Map<string, Played & { id: string; adversary: string }>;
  readonly notMounted: Map<string, ExposureFacts['notMounted'][number]>;
  readonly metadata: Metadata;
  readonly handOverNs: number[];
}

type Sums = Omit<AttackFacts, 'id' | 'adversary' | 'label' | 'recorder'>;

/** Holds one town at a time. */
export async function mountAll(spec: ExposureSpec, parts: ExposureParts): Promise<ExposureFacts> {
  const { workload, options, seed, retentionDays } = spec;
  const { pipeline, provider, behaviour, adversaries } = parts;
  const gathered: Gathered = {
    tallies: new Map(),
    played: new Map(),
    notMounted: new Map(),
    metadata: newMetadata(),
    handOverNs: [],
  };
  let messages = 0;
  let heldBytes = 0;
  let priceOfAll: ExposureFacts['priceOfAll'];
  // Those whose CPU counts open everything themselves; the others share what they opened.
  const inOrder = adversaries.toSorted((a, b) => Number(goesFirst(b)) - Number(goesFirst(a)));
  const towns = countTowns(workload);
  for (let number = 0; number < towns; number++) {
    const script = writeTownScript(workload, behaviour, seed, number);
    const townSeed = seed * 100_003 + number;
    const plan = { pipeline, provider, options, seed: townSeed, retentionDays, ...script };
    const town = await holdTown(plan);
    messages += town.recording.messages.length;
    heldBytes = Math.max(heldBytes, bytesOf(town));
    for (const adversary of inOrder) await mount(gathered, adversary, town);
    addMetadata(gathered.metadata, town);
    if (number === 0) priceOfAll = countPrice(town, adversaries);
  }
  return {
    conversations: workload.sessions,
    messages,
    towns,
    attacks: [...gathered.tallies.values()].map(({ of, tally }) => ({ ...of, ...sumsOf(tally) })),
    played: [...gathered.played.values()].map(({ expected, ...one }) =>
      expected === undefined ? one : { ...one, expected },
    ),
    notMounted: [...gathered.notMounted.values()],
    metadata: metadataFacts(gathered.metadata),
    handOverNs: gathered.handOverNs,
    ...(priceOfAll === undefined ? {} : { priceOfAll }),
    heldBytes,
  };
}

function goesFirst({ id }: Adversary): boolean {
  return id === 'A5a' || id === 'A7';
}

async function mount(gathered: Gathered, adversary: Adversary, town: Town): Promise<void> {
  const { id, name } = adversary;
  const result = adversary.kind === 'reader' ? adversary.mounts(town) : await adversary.play(town);
  if (isNotMounted(result)) {
    gathered.notMounted.set(name, { id, adversary: name, ...result });
    return;
  }
  if (adversary.kind === 'actor') {
    for (const one of result as readonly Played[]) addPlayed(gathered, adversary, one);
    return;
  }
  for (const one of result as readonly Mount[]) read(gathered, adversary, town, one);
}

function read(
  { tallies, handOverNs }: Gathered,
  adversary: ReadingAdversary,
  asked: Town,
  mounted: Mount,
): void {
  const { id, name } = adversary;
  const { label, evidence, leak, town = asked } = mounted;
  const shared = sharedOf(town);
  const key = `${name}/${label}`;
  let entry = tallies.get(key);
  if (entry === undefined) {
    const of = { id, adversary: name, label, recorder: evidence.recorder };
    entry = { of, tally: newTally() };
    tallies.set(key, entry);
  }
  shared.isTimed = mounted.isTimed === true;
  const before = readThreadCpuNs();
  const claims = adversary.attack({ ...town.recording.facts, shared }, evidence, leak);
  if (shared.isTimed) entry.tally.cpuNs += readThreadCpuNs() - before;
  addMount(entry.tally, town, mounted, claims);
  if (mounted.warrant !== undefined) timeHandOver(handOverNs, town, mounted);
}

function addPlayed({ played }: Gathered, { id, name }: Adversary, one: Played): void {
  const key = `${name}/${one.label}/${one.rate}`;
  const before = played.get(key);
  const hits = (before?.hits ?? 0) + one.hits;
  const of = (before?.of ?? 0) + one.of;
  played.set(key, { ...one, id, adversary: name, hits, of });
}

/** From each frame of a warrant, as the relay has it, to its text: wall time. */
function timeHandOver(
  handOverNs: number[],
  town: Town,
  { evidence, leak, isInScope }: Mount,
): void {
  const { facts, messages } = town.recording;
  const { authority: secrets, userDays } = leak;
  if (secrets === undefined && userDays === undefined) {
    if (facts.pipeline.openAuthority !== undefined || facts.pipeline.family === 'ratchet') return;
  }
  const frames = openStored(facts, evidence, leak);
  if (facts.pipeline.openAuthority === undefined) {
    for (const frame of evidence.frames) {
      if (!isInScope(messages[frame.message]!)) continue;
      const startNs = nowNs();
      openStored(facts, { ...evidence, frames: [frame] }, leak);
      handOverNs.push(nowNs() - startNs);
    }
    return;
  }
  const authority =
    userDays === undefined ? openAuthority(facts, secrets!) : openUserDays(facts, userDays);
  let startNs = nowNs();
  // Where frames stand alone, those that nobody asks for are not opened on the way.
  const shown = opensOneByOne(facts.pipeline)
    ? frames.filter(({ message }) => isInScope(messages[message]!))
    : frames;
  readWithAuthority(facts, authority, shown, ({ message }, isRead) => {
    const endNs = nowNs();
    if (isRead && isInScope(messages[message]!)) handOverNs.push(endNs - startNs);
    startNs = nowNs();
  });
}

/** Calls that take the time; those of the base point have tables, and cost a third. */
const AGREEMENTS = /^(?:x25519|x25519-handle|ristretto255-multiply)$/;
const OF_BASE = /^(?:x25519-base|ristretto255-base)$/;
const PRICE_CALLS = 400;

/** What decrypting everything asks of the provider, counted once, in the first town. */
function countPrice(town: Town, adversaries: readonly Adversary[]): ExposureFacts['priceOfAll'] {
  const mass = adversaries.find(({ id }) => id === 'A7');
  if (mass?.kind !== 'reader') return undefined;
  const mounts = mass.mounts(town);
  if (isNotMounted(mounts) || town.world.authority === undefined) return undefined;
  const { provider, counts } = countPrimitives(town.plan.provider);
  const facts = { ...town.recording.facts, provider };
  const [first] = mounts;
  // A few conversations are enough to count, and all that costs.
  const sessions = Math.min(2, TOWN_SESSIONS);
  const frames = first!.evidence.frames.filter(({ session }) => session < sessions);
  const claims = mass.attack(facts, { ...first!.evidence, frames }, first!.leak);
  const called = (kind: RegExp): number => {
    let calls = 0;
    for (const [name, count] of counts) if (kind.test(name)) calls += count;
    return calls;
  };
  const ofBase = called(OF_BASE);
  const others = called(AGREEMENTS);
  const agreements = ofBase + others;
  if (claims.size === 0 || agreements === 0) return undefined;
  const usesGroup = [...counts.keys()].some((name) => name.startsWith('ristretto255'));
  const prices = pricesOf(town.plan.provider, usesGroup);
  const agreementNs = (ofBase * prices.baseNs + others * prices.otherNs) / agreements;
  return { messages: claims.size, agreements, agreementNs };
}

/** CPU of one X25519 with a secret's bytes, or of one multiplication on ristretto255. */
function pricesOf(
  provider: Provider,
  usesGroup: boolean,
): { readonly baseNs: number; readonly otherNs: number } {
  const secret = new Uint8Array(32).fill(7);
  secret[31] = 1;
  const point = new Uint8Array(32);
  const out = new Uint8Array(32);
  const group = usesGroup ? provider.ristretto255 : undefined;
  const ofBase = (): void => {
    if (group === undefined) provider.x25519Public(point, secret);
    else group.multiplyBase(point, secret);
  };
  const other = (): void => {
    if (group === undefined) provider.x25519(out, secret, point);
    else group.multiply(out, secret, point);
  };
  return { baseNs: meanCpuNs(ofBase), otherNs: meanCpuNs(other) };
}

function meanCpuNs(call: () => void): number {
  for (let i = 0; i < PRICE_CALLS; i++) call();
  const before = readThreadCpuNs();
  for (let i = 0; i < PRICE_CALLS; i++) call();
  return (readThreadCpuNs() - before) / PRICE_CALLS;
}

function sumsOf(tally: Tally): Sums {
  const { mounts, past, future, wrong, isJudged, usersTouched, users, cpuNs, warrant } = tally;
  const isSeizure = tally.curveOf.some((count) => count > 0);
  return {
    mounts,
    past,
    future,
    wrong,
    isJudged,
    usersTouched,
    users,
    cpuNs,
    ...(isSeizure
      ? {
          curve: { of: tally.curveOf, recovered: tally.curveRecovered },
          healing: tally.healing,
        }
      : {}),
    ...(warrant === undefined ? {} : { warrant }),
  };
}

function metadataFacts(metadata: Metadata): NonNullable<ExposureFacts['metadata']> {
  const { contacts, contactsByChance, turns, fanOut } = metadata;
  const { all, told } = lengthBits(metadata);
  return { contacts, contactsByChance, lengthBits: all, lengthBitsTold: told, turns, fanOut };
}

/** What the recording of a town holds. */
function bytesOf({ recording }: Town): number {
  let bytes = 0;
  for (const { uplink, stored, content, downlink } of recording.passages) {
    bytes += uplink.length + stored.length + content.length + (downlink?.length ?? 0);
  }
  return bytes;
}
