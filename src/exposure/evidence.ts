/**
 * What a vantage point holds of a run: the evidence that a named recorder kept, and nothing else.
 *
 * A town is recorded at all places at once (`Recording`); an attack is never shown that, but the
 * `Evidence` that `evidenceOf` takes out of it for one recorder and one time.
 *
 * @module
 */

import type { Provider } from '../crypto/provider.ts';
import type { PackedMembers } from '../pipelines/_members.ts';
import type { FrameKind, Options, Pipeline } from '../pipelines/_pipeline.ts';
import type { SharedReadings } from './shared-readings.ts';

/**
 * `none`: nothing from before, only what passes live. `network`: the records of the hops.
 * `relay-queue`: the frames not yet fetched, as stored. `relay-retention`: all frames of the last
 * days, as stored. `authority-archive`: what was handed over to the authority.
 */
export const RECORDERS = [
  'none',
  'network',
  'relay-queue',
  'relay-retention',
  'authority-archive',
] as const;
export type RecorderName = (typeof RECORDERS)[number];

/** One message, as only the score knows it. */
export interface Message {
  /** Its number in the town. */
  readonly id: number;
  readonly session: number;
  /** The member who sends it. */
  readonly sender: number;
  /** Its number in the session. */
  readonly index: number;
  readonly atMs: number;
  /** The step of the town in which it is sent. */
  readonly step: number;
  readonly plaintext: Uint8Array;
}

/** One frame at one place. All but `bytes` is what files it: who, to whom, when. */
export interface Frame {
  /** The message that it carries: handed back with a claim, for the score, and read by no attack. */
  readonly message: number;
  readonly kind: FrameKind;
  readonly session: number;
  readonly sender: number;
  /** The connection over which it came: a user, or an anonymous one. */
  readonly from: number;
  /** Whose mailbox it is for. */
  readonly to: number;
  readonly atMs: number;
  readonly bytes: Uint8Array;
}

/** The same frame at every place on its way. */
export interface Passage extends Omit<Frame, 'bytes'> {
  readonly step: number;
  /** From the sender to the relay. */
  readonly uplink: Uint8Array;
  /** In the relay's database. */
  readonly stored: Uint8Array;
  /** In the relay's memory while it passes. */
  readonly content: Uint8Array;
  /** From the relay to the receiver; undefined for what is never fetched. */
  downlink: Uint8Array | undefined;
  /** The step in which it was fetched; Infinity before. */
  fetchedAt: number;
}

/** A record on the wire, and the connection that it is of. */
export interface WireRecord {
  readonly passage: Passage;
  readonly connection: number;
  readonly direction: 'up' | 'down';
}

/** The flights with which a connection was opened: from the client, from the relay, in turn. */
export interface OpenedConnection {
  readonly connection: number;
  readonly flights: readonly Uint8Array[];
}

/** A data key of the relay's store, wrapped under the key-encryption key. */
export interface WrappedDataKey {
  /** Whose it is; 0 where keys are of segments. */
  readonly owner: number;
  /** Day or segment: the first four bytes of what it seals. */
  readonly keyId: number;
  /** Nonce 12, wrapped key 32, tag 16. */
  readonly wrapped: Uint8Array;
}

/** What everybody may know: code, options, the directory, and what it handed out. */
export interface PublicFacts {
  readonly provider: Provider;
  readonly pipeline: Pipeline;
  readonly options: Options;
  readonly members: PackedMembers;
  readonly users: number;
  /** Public identities of all users, 64 bytes each; empty where there are none. */
  readonly directory: Uint8Array;
  /** The prekey bundle with which each session was opened; empty where there is none. */
  readonly bundles: readonly Uint8Array[];
  /** The relay's Ed25519 key, which clients know. */
  readonly relayPublicKey: Uint8Array;
  /** How many sessions are under a warrant: those below it. */
  readonly targets: number;
  /** Which frames the authority is given. */
  readonly evidenceKind: 'message' | 'escrow';
  /** Whether each message's evidence suffices for it. */
  readonly standsAlone: boolean;
  /** Of a run that mounts many attacks on one town: what was opened already. Nobody learns by it. */
  readonly shared?: SharedReadings;
  /** Whether evidence may have to wait for a later frame. */
  readonly answersLate: boolean;
}

/** A town as recorded at all places. */
export interface Recording {
  readonly facts: PublicFacts;
  readonly messages: readonly Message[];
  readonly passages: readonly Passage[];
  readonly wire: readonly WireRecord[];
  readonly connections: readonly OpenedConnection[];
  readonly dataKeys: readonly WrappedDataKey[];
}

export interface Evidence {
  readonly recorder: RecorderName;
  /** `record`: of a hop; `stored`: in the relay's database; `content`: in its memory. */
  readonly form: 'record' | 'stored' | 'content';
  /** In the order in which they passed. */
  readonly frames: readonly Frame[];
  /** Beside each frame, for records of hops: the connection and its direction. */
  readonly wire: readonly Pick<WireRecord, 'connection' | 'direction'>[];
  readonly connections: readonly OpenedConnection[];
  /** In the relay's database: the data keys, wrapped. */
  readonly dataKeys: readonly WrappedDataKey[];
}

/** Which frames a recorder is asked for. */
export interface EvidenceWindow {
  /** The step after which the compromise happens. */
  readonly step: number;
  /** Frames from this time on; -Infinity for all that is kept. */
  readonly fromMs?: number;
  /** Frames up to this time. */
  readonly toMs?: number;
}

/** What one recorder has when it is taken, or, for `none`, what passes from then on. */
export function evidenceOf(
  { passages, wire, connections, dataKeys, facts }: Recording,
  recorder: RecorderName,
  { step, fromMs = -Infinity, toMs = Infinity }: EvidenceWindow,
): Evidence {
  const inWindow = ({ atMs }: Passage): boolean => atMs >= fromMs && atMs <= toMs;
  const none = { wire: [], connections: [], dataKeys: [] };
  switch (recorder) {
    case 'network': {
      const kept = wire.filter(({ passage }) => inWindow(passage));
      return {
        recorder,
        form: 'record',
        frames: kept.map(({ passage, direction }) =>
          frameOf(passage, direction === 'up' ? passage.uplink : passage.downlink!),
        ),
        wire: kept.map(({ connection, direction }) => ({ connection, direction })),
        connections,
        dataKeys: [],
      };
    }
    case 'none': {
      const live = passages.filter((passage) => passage.step > step && inWindow(passage));
      const frames = live.map((passage) => frameOf(passage, passage.content));
      return { recorder, form: 'content', frames, ...none };
    }
    case 'relay-queue': {
      const queued = passages.filter(
        (passage) => passage.step <= step && passage.fetchedAt > step && inWindow(passage),
      );
      const frames = queued.map((passage) => frameOf(passage, passage.stored));
      return { recorder, form: 'stored', frames, ...none, dataKeys };
    }
    case 'relay-retention': {
      const frames = passages.filter(inWindow).map((passage) => frameOf(passage, passage.stored));
      return { recorder, form: 'stored', frames, ...none, dataKeys };
    }
    default: {
      const handedOver = passages.filter(
        (passage) =>
          inWindow(passage) &&
          passage.session < facts.targets &&
          passage.kind === facts.evidenceKind,
      );
      const frames = handedOver.map((passage) => frameOf(passage, passage.content));
      return { recorder, form: 'content', frames, ...none };
    }
  }
}

function frameOf(passage: Passage, bytes: Uint8Array): Frame {
  const { message, kind, session, sender, from, to, atMs } = passage;
  return { message, kind, session, sender, from, to, atMs, bytes };
}
