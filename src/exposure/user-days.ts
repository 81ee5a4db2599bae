/**
 * E5: the keys of users and days that an authority discloses under a warrant.
 *
 * @module
 */

import { openField } from '../pipelines/_escrow-ratchet.ts';
import { UserDayKeys } from '../pipelines/escrow-warrant.ts';
import type { UserDayKey } from './adversary.ts';
import type { Town } from './town.ts';

const DAY_MS = 86_400_000;

/** SK_u,d out of the authority's master. */
export function userDayKeyOf({ world, plan }: Town, user: number, day: number): UserDayKey {
  const { provider, options } = plan;
  const seal = openField(provider, undefined, options);
  const keys = new UserDayKeys(provider, world.authority![0]!);
  const secret = new Uint8Array(seal.secretKeyBytes);
  const publicKey = new Uint8Array(seal.publicKeyBytes);
  seal.deriveKeyPair(publicKey, secret, keys.seed(user, day));
  return { user, day, secret };
}

/** The keys of a user for every day that a period touches. */
export function userDayKeysOf(
  town: Town,
  user: number,
  fromMs: number,
  toMs: number,
): UserDayKey[] {
  const keys: UserDayKey[] = [];
  const first = Math.max(0, Math.floor(fromMs / DAY_MS));
  for (let day = first; day <= Math.floor(toMs / DAY_MS); day++) {
    keys.push(userDayKeyOf(town, user, day));
  }
  return keys;
}
