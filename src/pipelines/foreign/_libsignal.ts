/**
 * libsignal for Node: loading it, and what its refusals are called here.
 *
 * It is under the AGPL: it is installed by the user and imported at run time; nothing of it is copied.
 *
 * @module
 */

import type { LibSignalErrorBase } from '@signalapp/libsignal-client';
import { OUTCOME, type ForeignLibrary } from '../_pipeline.ts';
import {
  foreignFailure,
  installedVersion,
  loadOptional,
  type OptionalPackage,
} from './_library.ts';
import { fieldsOf, ratchetHeaderOf } from './_ratchet-header.ts';

export type Libsignal = typeof import('@signalapp/libsignal-client');

const PACKAGE: OptionalPackage = { name: '@signalapp/libsignal-client', tested: '0.103.0' };

export function loadLibsignal(): Promise<Libsignal> {
  return loadOptional(PACKAGE, () => import('@signalapp/libsignal-client'));
}

/** What all pipelines of it have in common. */
export const LIBSIGNAL = {
  implementation: 'libsignal',
  package: PACKAGE.name,
  licence: 'AGPL-3.0-only',
  asynchronous: true,
  async version(): Promise<string> {
    await loadLibsignal();
    return installedVersion(PACKAGE.name);
  },
} as const satisfies Partial<ForeignLibrary>;

export const LIBSIGNAL_CAVEATS: readonly string[] = [
  'Its state cannot be taken out of it in a form that the attacks know, so what a seized device exposes is not measured.',
  'Its random numbers are its own: a run cannot be repeated to the byte.',
  "Its calls are asynchronous and run on the calling thread, with JavaScript stores; CPU is that of the process. What it returns in arrays of its own is copied into the engine's buffers.",
  'Keys of skipped messages are kept for the five latest receiving chains of a session only.',
];

/** Of its ratchet against L8, which both of its pipelines have. */
export const TRIPLE_RATCHET_DIFFERENCES: readonly string[] = [
  'Every message takes a step of SPQR: its frame carries a message of ML-KEM Braid, mostly with a 32-byte chunk of a key or ciphertext, and its key mixes in a second, post-quantum chain. Ours has no second chain: an epoch sends its key and its ciphertext whole, every 50 messages or 7 days.',
  'Messages are encrypted with AES-256-CBC and authenticated with HMAC-SHA256 cut to 8 bytes; ours with ChaCha20-Poly1305 and a tag of 16 bytes.',
  'One identity key agrees and signs, by XEdDSA; ours signs with an Ed25519 key besides.',
  'The KEM of its handshake is Kyber-1024 of round 3; ours is ML-KEM-1024 of FIPS 203.',
  "Every call asks JavaScript stores for the session and for trust in the peer's identity, and reads and writes the whole record: chains, SPQR's state, keys of skipped messages, archived sessions. Ours copies a record without the keys of skipped messages.",
];

/**
 * How many messages may be missing. Its Double Ratchet allows 25,000 per chain; the chain of its
 * SPQR, which counts all messages of an epoch from 1, refuses one earlier.
 */
export const LIBSIGNAL_SKIP_LIMIT = 24_999;

/**
 * The outcome of a message that libsignal refused.
 *
 * It says itself what is a duplicate. That too many messages are missing it only writes to its log, so
 * this is worked out from the message and the session's record.
 *
 * @param record Of the receiving end, serialised; undefined where there is no session yet.
 * @param message A SignalMessage, serialised; undefined where it is not known.
 * @throws HarnessError for what is no refusal.
 */
export function refusalOf(
  library: Libsignal,
  error: unknown,
  record: Uint8Array | undefined,
  message: Uint8Array | undefined,
): number {
  if (!isOfLibsignal(library, error)) throw foreignFailure('libsignal', error);
  // A store of ours threw inside it.
  if (error.message.startsWith('error in method call')) throw foreignFailure('libsignal', error);
  if (error.code === library.ErrorCode.DuplicatedMessage) return OUTCOME.DUPLICATE;
  if (record === undefined || message === undefined) return OUTCOME.AUTH_FAILED;
  return isTooFar(record, message) ? OUTCOME.TOO_FAR : OUTCOME.AUTH_FAILED;
}

/** Whether libsignal threw it, rather than its JavaScript or this adapter. */
export function isOfLibsignal(library: Libsignal, error: unknown): error is LibSignalErrorBase {
  return error instanceof library.LibSignalErrorBase;
}

/**
 * Field numbers of libsignal's stored sessions, rust/protocol/src/proto/storage.proto: RecordStructure
 * 1 current session; SessionStructure 7 receiver chains; Chain 1 sender's ratchet key, 3 chain key;
 * ChainKey 1 index.
 */
const STORED = { session: 1, receiverChain: 7, ratchetKey: 1, chainKey: 3, index: 1 } as const;

function isTooFar(record: Uint8Array, message: Uint8Array): boolean {
  const header = ratchetHeaderOf(message);
  if (header === undefined) return false;
  return header.counter - nextIn(record, header.ratchetKey) > LIBSIGNAL_SKIP_LIMIT;
}

/** The number of the next message in the chain of `ratchetKey`: 0 in one that is new. */
function nextIn(record: Uint8Array, ratchetKey: Uint8Array): number {
  const key = ratchetKey.toHex();
  for (const session of bytesFields(record, STORED.session)) {
    for (const chain of bytesFields(session, STORED.receiverChain)) {
      if (bytesFields(chain, STORED.ratchetKey)[0]?.toHex() !== key) continue;
      const [chainKey] = bytesFields(chain, STORED.chainKey);
      const index = fieldsOf(chainKey ?? chain)?.find(({ number }) => number === STORED.index);
      return typeof index?.value === 'number' ? index.value : 0;
    }
  }
  return 0;
}

function bytesFields(message: Uint8Array, number: number): Uint8Array[] {
  return (fieldsOf(message) ?? []).flatMap(({ number: found, value }) =>
    found === number && value instanceof Uint8Array ? [value] : [],
  );
}
