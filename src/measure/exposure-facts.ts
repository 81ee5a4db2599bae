/**
 * The raw facts of a repeat that mounts attacks on a pipeline: what workers/exposure.ts reports and
 * `cells.ndjson` stores. Counts of messages unless they say otherwise; all but CPU and hand-over times
 * follow from the seed.
 *
 * @module
 */

import { z } from 'zod';

const count = z.number().int().nonnegative();

/** Messages on one side of the compromise. */
const side = z.object({
  of: count,
  recovered: count,
  /** What the expected table says, and where the two do not agree. */
  expected: count,
  missing: count,
  unexpected: count,
});

const warrantFacts = z.object({
  /** In what the authority discloses. */
  unit: z.string(),
  warrants: count,
  askedFor: count,
  askedForRecovered: count,
  /** Messages that the disclosed material opens, and those of them that nobody asked for. */
  opens: count,
  opensOutside: count,
});

const attackFacts = z.object({
  /** `A0` to `A12`. */
  id: z.string(),
  adversary: z.string(),
  /** The form of the attack; empty where there is one. */
  label: z.string(),
  recorder: z.string(),
  mounts: count,
  past: side,
  future: side,
  /** Claims that were not what was said. */
  wrong: count,
  /** Whether every mounting has a rule in the expected table. */
  isJudged: z.boolean(),
  usersTouched: count,
  users: count,
  /** Around a seizure, from 30 messages before it to 30 after: messages, and those recovered. */
  curve: z.object({ of: z.array(count), recovered: z.array(count) }).optional(),
  /**
   * By session that was open at a seizure: messages recovered before the first that was not, of those
   * that the owner sent, of those received, and of both.
   */
  healing: z
    .object({
      sent: z.array(count),
      received: z.array(count),
      both: z.array(count),
      neverHealed: count,
    })
    .optional(),
  warrant: warrantFacts.optional(),
  /** CPU of the attack, ns; of the calling thread. */
  cpuNs: z.number(),
});

const playedFacts = z.object({
  id: z.string(),
  adversary: z.string(),
  label: z.string(),
  /** `forgery-rate`, `dodge-rate`, `decoy-rate`, `detection-rate` or `recovered-future`. */
  rate: z.string(),
  hits: count,
  of: count,
  expected: z.number().optional(),
});

const notMountedFacts = z.object({
  id: z.string(),
  adversary: z.string(),
  why: z.enum(['no-such-power', 'unsupported']),
  reason: z.string(),
});

const metadataFacts = z.object({
  /** Edges of the contact graph: as they are, as guessed from the relay's log, and those in both. */
  contacts: z.object({ real: count, guessed: count, right: count }),
  /** The same where connections are taken for users in random order: what chance gives. */
  contactsByChance: z.object({ real: count, guessed: count, right: count }),
  /** Bits: entropy of the lengths of messages, and what lengths of frames tell of them. */
  lengthBits: z.number(),
  lengthBitsTold: z.number(),
  /** Turns of conversations read off headers: right and wrong calls of turns and of no turns. */
  turns: z.object({ turns: count, found: count, others: count, falsely: count }),
  /** Uplink records per message, of sessions under a warrant and of others. */
  fanOut: z.object({
    targetMessages: count,
    targetRecords: count,
    otherMessages: count,
    otherRecords: count,
  }),
});

export const exposureFacts = z.object({
  conversations: count,
  messages: count,
  towns: count,
  /** Why nothing could be mounted that needs a device's state or frames: a library's pipeline. */
  opaque: z.string().optional(),
  attacks: z.array(attackFacts),
  played: z.array(playedFacts),
  notMounted: z.array(notMountedFacts),
  metadata: metadataFacts.optional(),
  /** Wall time from a frame of a warrant to its text, ns, one per message. */
  handOverNs: z.array(z.number()),
  /** For decrypting everything: the provider's own calls per message, and what they cost. */
  priceOfAll: z
    .object({
      /** Messages recovered while calls were counted. */
      messages: count,
      /** Calls of primitives that take the time: X25519 and multiplications on ristretto255. */
      agreements: count,
      /** CPU of one such call with this provider, ns: the mean over those of a base point and others. */
      agreementNs: z.number(),
    })
    .optional(),
  /** The largest number of bytes of recordings that were held at once. */
  heldBytes: count,
});
export type ExposureFacts = z.infer<typeof exposureFacts>;
export type AttackFacts = z.infer<typeof attackFacts>;
