/**
 * A provider between two ends: to each it shows keys of its own under the name of the other.
 *
 * A directory is a list of names and keys. That it lies about a name is modelled by who is behind that
 * name: the conversation of A and B becomes one of A and the provider and one of the provider and B,
 * while both take the provider's key for the other's, as nothing that a client here does could tell.
 *
 * @module
 */

import { PackedMembers } from '../pipelines/_members.ts';
import { Stage } from './stage.ts';
import type { TownPlan } from './town.ts';

const IDENTITY_BYTES = 64;

export interface Passed {
  /** What the provider's device opened. */
  readonly read: Uint8Array | undefined;
  /** What the other end opened of what the provider sealed again. */
  readonly delivered: Uint8Array | undefined;
}

export interface Interposed {
  readonly conversations: number;
  /** Member 0 or 1 of a conversation says something. */
  pass(conversation: number, member: number, text: Uint8Array): Passed;
  /** The public identity that the other end is taken to have, and the one that it has. */
  identities(conversation: number): readonly [shown: Uint8Array, real: Uint8Array];
}

/** Opens the town's late conversations, with the provider in between. */
export async function interpose(plan: TownPlan): Promise<Interposed> {
  const { script, isLate } = plan;
  const late = Array.from({ length: script.sessions }, (_, session) => session).filter(isLate);
  const provider = script.users;
  // Conversation c is session 2c, A and the provider, and session 2c + 1, the provider and B.
  const users = late.flatMap((session) => [
    script.members[session * 2]!,
    provider,
    provider,
    script.members[session * 2 + 1]!,
  ]);
  const stage = await Stage.open(plan, new PackedMembers(Uint32Array.from(users)), provider + 1);
  return {
    conversations: late.length,
    pass(conversation, member, text) {
      const [first, second] = [conversation * 2, conversation * 2 + 1];
      const [from, on] = member === 0 ? [first, second] : [second, first];
      const { frame } = stage.send(from, member, text);
      const read = stage.receive(from, 1 - member, frame);
      if (typeof read === 'number') return { read: undefined, delivered: undefined };
      const again = stage.send(on, member, read);
      const delivered = stage.receive(on, 1 - member, again.frame);
      return { read, delivered: typeof delivered === 'number' ? undefined : delivered };
    },
    identities(conversation) {
      const { directory } = stage.world;
      const of = (user: number): Uint8Array =>
        directory.subarray(user * IDENTITY_BYTES, (user + 1) * IDENTITY_BYTES);
      return [of(provider), of(stage.members.user(conversation * 2 + 1, 1))];
    },
  };
}
