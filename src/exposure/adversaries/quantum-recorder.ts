import { concatBytes, toHex } from '../../core/bytes.ts';
import { FieldInfo } from '../../pipelines/_escrow-field.ts';
import { openField } from '../../pipelines/_escrow-ratchet.ts';
import { AssociatedData, RatchetFrame } from '../../pipelines/_ratchet-frame.ts';
import type { Leak, Mount, ReadingAdversary } from '../adversary.ts';
import { readWithLeak } from '../authority-reader.ts';
import { evidenceOf, type Evidence, type Frame, type PublicFacts } from '../evidence.ts';
import { isAfter } from '../expected.ts';
import { innerKindOf, isClassicalField, ratchetProfile } from '../frame-profile.ts';
import { openInnerReader, type Holdings } from '../inner-reader.ts';
import { Keyring, quantumOracle } from '../keyring.ts';
import { keyEncryptionKeyOf, openRecords, openStored, readAsText } from '../layers.ts';
import type { Town } from '../town.ts';
import { userDayKeysOf } from '../user-days.ts';
import { enough } from './mass-decryption.ts';
import { DAY_MS, isReadable, isRetained, massMount, nobody, retained } from './_everyone.ts';

/**
 * A9: recorded traffic, and later a quantum computer: it gives the private key to every public key of
 * X25519, Ed25519 and ristretto255, and leaves ML-KEM and symmetric ciphers shut.
 */
const quantumRecorder: ReadingAdversary = {
  kind: 'reader',
  name: 'quantum-recorder',
  id: 'A9',
  title: 'Recorded traffic and a quantum computer',
  gets: 'a recording, and the private key to every public key that rests on discrete logarithms',
  holds: 'the oracle: 64 bytes for each key that was made in the town; one state per session',
  attack(facts, evidence, leak) {
    const keyring = leak.keyring ?? new Keyring(facts.provider);
    const frames =
      evidence.recorder === 'network'
        ? openRecords(facts, evidence, keyring)
        : openStored(facts, evidence, leak);
    if (innerKindOf(facts.pipeline) === 'clear') return readAsText(frames);
    const claims = new Map(readEnds(facts, frames, keyring, leak));
    for (const [message, text] of readWithLeak(facts, frames, leak)) claims.set(message, text);
    if (facts.pipeline.rung === 'C7') {
      for (const { kind, message, bytes } of frames)
        if (kind === 'escrow') claims.set(message, bytes);
    }
    return claims;
  },
  mounts(town) {
    const { plan, world, recording } = town;
    const oracle = quantumOracle(plan.provider, town.drawn);
    const leak: Leak = { keyring: oracle, ...fieldLeak(town) };
    const network = evidenceOf(recording, 'network', { step: plan.seizedAfter });
    const opens = opensEnds(town);
    const hasHop = plan.options['hop'] !== 'none';
    const uploads = plan.pipeline.rung === 'C7';
    const mounts: Mount[] = [
      massMount('hop=x25519', onlyUplinks(network), leak, () => opens || uploads),
      massMount(
        'keys=yes',
        retained(town),
        { ...leak, keyEncryptionKey: keyEncryptionKeyOf(world.relay) },
        (message) => (opens || uploads) && isRetained(town)(message),
      ),
    ];
    if (!hasHop) return mounts;
    // No hop here is hybrid: what one does to this attack is that the oracle has no key to it.
    const shut = { ...network, connections: [], frames: [], wire: [] };
    mounts.push(massMount('hop=x25519mlkem768', shut, leak, nobody));
    return mounts;
  },
};

export default quantumRecorder;

/** Each message once: what goes down repeats what came up. */
function onlyUplinks(evidence: Evidence): Evidence {
  const kept = evidence.wire.flatMap(({ direction }, at) => (direction === 'up' ? [at] : []));
  return {
    ...evidence,
    frames: kept.map((at) => evidence.frames[at]!),
    wire: kept.map((at) => evidence.wire[at]!),
  };
}

/** The expected table: whether everything opens. */
function opensEnds(town: Town): boolean {
  const { pipeline, options } = town.plan;
  if (isReadable(town)) return true;
  if (isAfter(pipeline.rung, 'L7')) return false;
  const isBasePq = options['ratchet'] === 'pqxdh-ratchet';
  if (!isBasePq) return true;
  const hasField = /^E[02-7]$/.test(pipeline.rung);
  return hasField && isClassicalField(options);
}

/** Private keys of the authority that rest on discrete logarithms. */
function fieldLeak(town: Town): Leak {
  const { world, plan, recording } = town;
  const { rung } = plan.pipeline;
  if (world.authority === undefined || !isClassicalField(plan.options)) return {};
  if (rung === 'E5') {
    // The master rests on no discrete logarithm; the keys of users and days do, one by one.
    const lastMs = Math.max(...recording.messages.map(({ atMs }) => atMs));
    const users = Array.from({ length: recording.facts.users }, (_, user) => user);
    const userDays = users.flatMap((user) => userDayKeysOf(town, user, 0, lastMs + DAY_MS));
    return { userDays };
  }
  return /^E[02-467]$/.test(rung) ? { authority: enough(town) } : {};
}

function readEnds(
  facts: PublicFacts,
  frames: readonly Frame[],
  keyring: Keyring,
  leak: Leak,
): ReadonlyMap<number, Uint8Array> {
  const open = (): Map<number, Uint8Array> => readAnew(facts, frames, keyring, leak);
  const keys = [keyring, ...(leak.authority ?? []).map(toHex)];
  return facts.shared?.read(keys, frames, open) ?? open();
}

function readAnew(
  facts: PublicFacts,
  frames: readonly Frame[],
  keyring: Keyring,
  leak: Leak,
): Map<number, Uint8Array> {
  const claims = new Map<number, Uint8Array>();
  const secretOf = facts.pipeline.rung === 'E0' ? rootSecrets(facts, leak) : undefined;
  const holdings: Holdings = { keyring, ...(secretOf === undefined ? {} : { secretOf }) };
  const reader = openInnerReader(facts, holdings);
  for (const frame of frames) {
    if (frame.kind !== 'message') continue;
    const text = reader.read(frame);
    if (text !== undefined) claims.set(frame.message, text);
  }
  return claims;
}

/** E0: SK out of the field, which hands over what ML-KEM agreed on with it. */
export function rootSecrets(
  { provider, pipeline, options, directory, members }: PublicFacts,
  { authority }: Leak,
): ((frame: Frame) => Uint8Array | undefined) | undefined {
  if (authority === undefined) return undefined;
  const seal = openField(provider, undefined, options);
  const secret = seal.prepareSecret(authority[0]!);
  const layout = new RatchetFrame(ratchetProfile(provider, pipeline, options).shape);
  const associated = new AssociatedData(directory);
  const info = new FieldInfo(0);
  return ({ session, sender, bytes }) => {
    if (!layout.read(bytes) || !layout.readOn(bytes, 0) || layout.fieldBytes === 0)
      return undefined;
    const [initiator, responder] = [members.user(session, 0), members.user(session, 1)];
    const bound = associated.ofChain(initiator, responder, bytes, layout).slice();
    const field = concatBytes(bytes.subarray(layout.fieldAt, layout.ciphertextAt));
    const out = new Uint8Array(32);
    return seal.open(out, secret, info.of(session, sender, 0), bound, field) ? out : undefined;
  };
}
