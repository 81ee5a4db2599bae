/**
 * An attack with one authority key on a recorded town, and as many bare HPKE opens, each ready to be
 * called again and again in one process.
 *
 * @module
 */

import { equalBytes } from '../core/bytes.ts';
import { HarnessError } from '../core/errors.ts';
import { countPrimitives } from '../crypto/counting.ts';
import type { Provider } from '../crypto/provider.ts';
import { providerRandomness } from '../crypto/randomness.ts';
import type { Pipeline } from '../pipelines/_pipeline.ts';
import { Hpke, HPKE_OVERHEAD_BYTES } from '../protocols/hpke.ts';
import type { Behaviour } from '../workload/behaviour.ts';
import type { Workload } from '../workload/workload.ts';
import { isNotMounted, type Claims, type ReadingAdversary } from './adversary.ts';
import { holdTown } from './town.ts';
import { writeTownScript } from './town-script.ts';

/** The key as it is leaked with all that the relay keeps. */
const MOUNTED = 'rotation=never';
const SEED = 1;
const RETENTION_DAYS = 30;
/** Of the field of a message key. */
const KEY_BYTES = 32;
const INFO_BYTES = 16;
const AAD_BYTES = 160;

export interface AttackSides {
  /** Recovers every message of the town from what the relay stored, as `sealbench exposure` does. */
  readonly attack: () => Claims;
  /** Opens as many fields as there are messages, each another one. */
  readonly opens: () => void;
  readonly messages: number;
  /** What the provider is called for by one open. */
  readonly calls: Readonly<Record<string, number>>;
  /** @throws HarnessError unless there is each message, byte by byte. */
  readonly check: (claims: Claims) => void;
}

export interface AttackParts {
  readonly pipeline: Pipeline;
  readonly adversary: ReadingAdversary;
  readonly provider: Provider;
  readonly behaviour: Behaviour;
  /** Of one town. */
  readonly workload: Workload;
}

/** @throws HarnessError when the attack cannot be mounted. */
export async function attackSides(parts: AttackParts): Promise<AttackSides> {
  const { pipeline, adversary, provider, behaviour, workload } = parts;
  const defaults = Object.entries(pipeline.options).map(([name, option]) => [name, option.default]);
  const town = await holdTown({
    pipeline,
    provider,
    options: Object.fromEntries(defaults) as Readonly<Record<string, string>>,
    seed: SEED,
    retentionDays: RETENTION_DAYS,
    ...writeTownScript(workload, behaviour, SEED, 0),
  });
  const { facts, messages } = town.recording;
  const mounts = adversary.mounts(town);
  const mount = isNotMounted(mounts) ? undefined : mounts.find(({ label }) => label === MOUNTED);
  if (mount === undefined) throw wrong(`${adversary.name} does not mount ${MOUNTED}`);
  return {
    attack: () => adversary.attack(facts, mount.evidence, mount.leak),
    ...bareOpens(provider, messages.length),
    messages: messages.length,
    check(claims) {
      const right = messages.filter(({ id, plaintext }) => {
        const claim = claims.get(id);
        return claim !== undefined && equalBytes(claim, plaintext);
      });
      if (right.length !== messages.length || claims.size !== messages.length) {
        throw wrong(`the attack recovered ${right.length} of ${messages.length} messages`);
      }
    },
  };
}

function bareOpens(provider: Provider, count: number): Pick<AttackSides, 'opens' | 'calls'> {
  const secretKey = new Uint8Array(32).fill(3);
  const publicKey = new Uint8Array(32);
  provider.x25519Public(publicKey, secretKey);
  const info = new Uint8Array(INFO_BYTES);
  const aad = new Uint8Array(AAD_BYTES);
  const key = new Uint8Array(KEY_BYTES);
  const randomness = providerRandomness(provider);
  const hpke = new Hpke(provider);
  const fields = Array.from({ length: count }, () => {
    const field = new Uint8Array(KEY_BYTES + HPKE_OVERHEAD_BYTES);
    hpke.seal(field, randomness, publicKey, info, aad, key);
    return field;
  });
  const handle = provider.x25519Handle(secretKey);
  const open = (one: Hpke, secret: typeof handle, field: Uint8Array): void => {
    if (!one.open(key, secret, publicKey, info, aad, field)) throw wrong('a field did not open');
  };
  const counted = countPrimitives(provider);
  const countedHandle = counted.provider.x25519Handle(secretKey);
  const countedHpke = new Hpke(counted.provider);
  counted.counts.clear();
  open(countedHpke, countedHandle, fields[0]!);
  return {
    opens: () => {
      for (const field of fields) open(hpke, handle, field);
    },
    calls: Object.fromEntries(counted.counts),
  };
}

function wrong(reason: string): HarnessError {
  return new HarnessError('WRONG_RESULT', reason);
}
