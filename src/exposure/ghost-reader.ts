/**
 * E1: reads the copies that go to a ghost, for whoever copied the ghost's device.
 *
 * @module
 */

import { concatBytes } from '../core/bytes.ts';
import { PackedMembers } from '../pipelines/_members.ts';
import type { SeizedDevice } from '../pipelines/_pipeline.ts';
import type { Frame, PublicFacts } from './evidence.ts';
import { openInnerReader } from './inner-reader.ts';
import { keyringOf } from './keyring.ts';

const SIGNED_PREKEY_AT = 132;
const ONE_TIME_PREKEY_AT = 232;
const BUNDLE_BYTES = 264;

/** @returns By message: what opened of the copies. */
export function readAsGhost(
  facts: PublicFacts,
  device: SeizedDevice,
  frames: readonly Frame[],
): Map<number, Uint8Array> {
  const { provider, members, users, targets } = facts;
  const identity = new Uint8Array(64);
  provider.x25519Public(identity.subarray(0, 32), device.secrets.subarray(0, 32));
  provider.ed25519Public(identity.subarray(32), device.secrets.subarray(32, 64));
  // Session s, member m of the conversation is session 2s + m with the ghost, opened by that member.
  const ghostMembers = new Uint32Array(targets * 4);
  const bundles: Uint8Array[] = [];
  for (let end = 0; end < targets * 2; end++) {
    ghostMembers[end * 2] = members.user(end >>> 1, end & 1);
    ghostMembers[end * 2 + 1] = users;
    bundles.push(bundleOf(facts, device, end));
  }
  const ghostFacts: PublicFacts = {
    ...facts,
    members: new PackedMembers(ghostMembers),
    users: users + 1,
    directory: concatBytes(facts.directory, identity),
    bundles,
  };
  const reader = openInnerReader(ghostFacts, {
    keyring: keyringOf(provider, device),
    sessions: device.sessions,
  });
  const claims = new Map<number, Uint8Array>();
  for (const frame of frames) {
    if (frame.kind !== 'escrow') continue;
    const { session, sender } = frame;
    const text = reader.read({ ...frame, session: session * 2 + sender, sender: 0 });
    if (text !== undefined) claims.set(frame.message, text);
  }
  return claims;
}

/** The parts of the bundle of one of its sessions that matter, out of the secrets on the device. */
function bundleOf(
  { provider, options }: PublicFacts,
  { secrets, prekeys }: SeizedDevice,
  end: number,
): Uint8Array {
  const isPqxdh = options['ratchet'] === 'pqxdh-ratchet';
  const bundle = new Uint8Array(BUNDLE_BYTES + (isPqxdh ? 1 : 0));
  const signedPrekey = bundle.subarray(SIGNED_PREKEY_AT, SIGNED_PREKEY_AT + 32);
  provider.x25519Public(signedPrekey, secrets.subarray(64, 96));
  const oneTime = prekeys.find(({ id }) => id === end);
  if (oneTime !== undefined) {
    const publicKey = bundle.subarray(ONE_TIME_PREKEY_AT, ONE_TIME_PREKEY_AT + 32);
    provider.x25519Public(publicKey, oneTime.secrets.subarray(0, 32));
  }
  return bundle;
}
