/**
 * The contract of an adversary: a pure function from what a vantage point recorded, and what leaked,
 * to plaintexts; and where it is mounted in a town.
 *
 * @module
 */

import type { SeizedDevice } from '../pipelines/_pipeline.ts';
import type { Evidence, Message, PublicFacts, WrappedDataKey } from './evidence.ts';
import type { Keyring } from './keyring.ts';
import type { Town } from './town.ts';

/** By message: what it is claimed to say. Whether that is so, the score decides, byte by byte. */
export type Claims = ReadonlyMap<number, Uint8Array>;

/** What leaked to an attacker; nothing that is left out. */
export interface Leak {
  /** The key under which the relay's data keys are wrapped. */
  readonly keyEncryptionKey?: Uint8Array;
  /** One data key of the relay's store. */
  readonly dataKey?: Omit<WrappedDataKey, 'wrapped'> & { readonly key: Uint8Array };
  /** Secrets of the authority, or of those of its trustees that leaked. */
  readonly authority?: readonly Uint8Array[];
  /** Of an authority that changes its key: those of its keys that leaked, each tried on all frames. */
  readonly periodKeys?: readonly Uint8Array[];
  /** The authority's time when its secrets leaked: what it had forgotten by then is not in them. */
  readonly authorityAtMs?: number;
  /** Keys of E5: each opens what one user sent and received on one day. */
  readonly userDays?: readonly UserDayKey[];
  /** Private keys by their public keys. */
  readonly keyring?: Keyring;
  /** A device that was copied. */
  readonly device?: SeizedDevice;
  /** What the message database of a copied device still has. */
  readonly history?: ReadonlyMap<number, Uint8Array>;
}

export interface UserDayKey {
  readonly user: number;
  readonly day: number;
  readonly secret: Uint8Array;
}

/** One mounting of an attack: what it is given, and what it is judged by. */
export interface Mount {
  /** Names the form of the attack: `rotation=1d`; empty where there is one form only. */
  readonly label: string;
  /** The town that it is mounted in, where that is not the one that was asked. */
  readonly town?: Town;
  readonly evidence: Evidence;
  readonly leak: Leak;
  /** Over which messages shares are taken. */
  readonly isInScope: (message: Message) => boolean;
  /**
   * What the expected table says of each message in scope; undefined where no closed rule is known,
   * so that the figures stand without a judgement.
   */
  readonly isExpected: ((message: Message) => boolean) | undefined;
  /** Set where its CPU counts: it opens everything itself, and others may share what it opened. */
  readonly isTimed?: true;
  /** Set for attacks around the seizure of one device: curves and healing are counted. */
  readonly seizedUser?: number;
  /** Set for warrants: what is asked for, of all that is in scope. */
  readonly warrant?: Warrant;
}

export interface Warrant {
  readonly isAskedFor: (message: Message) => boolean;
  /** In what the authority discloses: a plaintext, a message key, a chain key, ... */
  readonly unit: string;
  /** All messages that the disclosed material opens, given the whole recording. */
  readonly disclosedOpens: (recovered: ReadonlySet<number>) => ReadonlySet<number>;
}

/** Why an attack is not mounted on a pipeline. */
export interface NotMounted {
  /** `no-such-power`: nobody has it there; `unsupported`: it exists and is not mounted. */
  readonly why: 'no-such-power' | 'unsupported';
  readonly reason: string;
}

interface Described {
  /** As its file is called. */
  readonly name: string;
  /** `A0` to `A12`. */
  readonly id: string;
  readonly title: string;
  /** What leaks to it, or what it does, in a line. */
  readonly gets: string;
  /** What it must hold in memory while it works. */
  readonly holds: string;
}

/** Reads what was recorded. */
export interface ReadingAdversary extends Described {
  readonly kind: 'reader';
  attack(facts: PublicFacts, evidence: Evidence, leak: Leak): Claims;
  /** @returns Where it is mounted in a town, or why it is not. */
  mounts(town: Town): readonly Mount[] | NotMounted;
}

/** What came of a part that an adversary played. */
export interface Played {
  readonly label: string;
  /** `forgery-rate`, `dodge-rate`, `decoy-rate`, `detection-rate`, `recovered-future`, ... */
  readonly rate: string;
  readonly hits: number;
  readonly of: number;
  /** The share that the expected table states; undefined where it states none. */
  readonly expected: number | undefined;
}

/** Takes part: sends frames of its own, runs a modified client, answers for the directory. */
export interface ActingAdversary extends Described {
  readonly kind: 'actor';
  play(town: Town): Promise<readonly Played[] | NotMounted>;
}

export type Adversary = ReadingAdversary | ActingAdversary;

export function notMounted(why: NotMounted['why'], reason: string): NotMounted {
  return { why, reason };
}

export function isNotMounted(result: unknown): result is NotMounted {
  return typeof result === 'object' && result !== null && 'why' in result;
}
