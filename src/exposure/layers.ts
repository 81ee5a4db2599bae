/**
 * The layers around what goes from end to end: the records of the hops, and the relay's seal at rest.
 *
 * @module
 */

import { putUint32, toHex } from '../core/bytes.ts';
import { aeadName, chosenAead } from '../pipelines/_carrier.ts';
import { REST_BYTES } from '../pipelines/_rest-seal.ts';
import {
  Hop,
  HOP_HELLO_BYTES,
  HOP_OVERHEAD_BYTES,
  HOP_STATE_BYTES,
  HOP_TOKEN_BYTES,
} from '../protocols/hop.ts';
import type { Leak } from './adversary.ts';
import type { Evidence, Frame, PublicFacts } from './evidence.ts';
import type { Keyring } from './keyring.ts';

/** Where a client's random and key share stand in its first flight. */
const RANDOM_AT: number = HOP_HELLO_BYTES - 64;
const SHARE_AT: number = HOP_HELLO_BYTES - 32;
/** In the state of a client that waits for an answer. */
const PHASE_AT: number = HOP_STATE_BYTES - 1;
const PHASE_CLIENT_WAITS = 1;
/** Keys of one direction in the state of an open hop: key 32, iv 12. */
const KEYS_BYTES = 44;
const KEY_ENCRYPTION_KEY_AT = 64;

/** The key-encryption key among the relay's secrets. */
export function keyEncryptionKeyOf(relaySecret: Uint8Array): Uint8Array {
  return relaySecret.slice(KEY_ENCRYPTION_KEY_AT, KEY_ENCRYPTION_KEY_AT + 32);
}

/**
 * Opens recorded hops of which the client's private key share is known: it finishes each handshake as
 * the client did. Without hops records are frames already.
 *
 * @returns The frames of the records that opened, as the relay sees them.
 */
export function openRecords(facts: PublicFacts, evidence: Evidence, keyring: Keyring): Frame[] {
  const { provider, options, relayPublicKey } = facts;
  if (options['hop'] === 'none') return [...evidence.frames];
  const nothing = { seeded: false, fill: (): void => undefined };
  const hop = new Hop(provider, nothing, aeadName(options));
  const states = new Map<number, { readonly up: Uint8Array; readonly down: Uint8Array }>();
  for (const { connection, flights } of evidence.connections) {
    const [hello, answer] = flights;
    const share = hello!.subarray(SHARE_AT);
    const secret = keyring.secretOf(share);
    if (secret === undefined) continue;
    const state = new Uint8Array(HOP_STATE_BYTES);
    state.set(secret);
    state.set(hello!.subarray(RANDOM_AT, SHARE_AT), 32);
    state.set(share, 64);
    state[PHASE_AT] = PHASE_CLIENT_WAITS;
    const token = new Uint8Array(HOP_TOKEN_BYTES);
    const room = new Uint8Array(1024);
    if (hop.clientFinish(state, relayPublicKey, answer!, token, room) < 0) continue;
    // What the client sends opens with its sending keys in the place of the receiving ones.
    const up = state.slice();
    up.set(state.subarray(0, KEYS_BYTES), KEYS_BYTES);
    states.set(connection, { up, down: state });
  }
  const opened: Frame[] = [];
  for (const [at, frame] of evidence.frames.entries()) {
    const { connection, direction } = evidence.wire[at]!;
    const state = states.get(connection)?.[direction];
    if (state === undefined || frame.bytes.length < HOP_OVERHEAD_BYTES) continue;
    const out = new Uint8Array(frame.bytes.length - HOP_OVERHEAD_BYTES);
    if (hop.openRecord(state, out, frame.bytes) >= 0) opened.push({ ...frame, bytes: out });
  }
  return opened;
}

/** Opens what the relay stored, as far as the leak goes; where nothing is sealed all of it. */
export function openStored(facts: PublicFacts, evidence: Evidence, leak: Leak): Frame[] {
  const { provider, options, shared } = facts;
  if (evidence.form !== 'stored' || options['rest'] === 'none') return [...evidence.frames];
  const aead = chosenAead(provider, options);
  const isScoped = options['rest'] === 'user-day';
  const context = new Uint8Array(8);
  const keys = new Map<string, Uint8Array>();
  const nameOf = (owner: number, keyId: number): string => `${isScoped ? owner : 0}/${keyId}`;
  const { keyEncryptionKey, dataKey } = leak;
  if (dataKey !== undefined) keys.set(nameOf(dataKey.owner, dataKey.keyId), dataKey.key);
  const wrappedKeys = new Map(
    keyEncryptionKey === undefined
      ? []
      : evidence.dataKeys.map((one) => [nameOf(one.owner, one.keyId), one] as const),
  );
  const keyFor = (name: string): Uint8Array | undefined => {
    const known = keys.get(name);
    const found = wrappedKeys.get(name);
    if (known !== undefined || found === undefined) return known;
    putUint32(context, 0, found.owner);
    putUint32(context, 4, found.keyId);
    const key = new Uint8Array(32);
    const nonce = found.wrapped.subarray(0, 12);
    const isOpen = aead.open(key, keyEncryptionKey!, nonce, context, found.wrapped.subarray(12));
    if (!isOpen) return undefined;
    keys.set(name, key);
    return key;
  };
  const open = ({ bytes, to }: Frame): Uint8Array | undefined => {
    if (bytes.length < REST_BYTES) return undefined;
    const keyId = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    const key = keyFor(nameOf(to, keyId));
    if (key === undefined) return undefined;
    putUint32(context, 0, to);
    putUint32(context, 4, keyId);
    const out = new Uint8Array(bytes.length - REST_BYTES);
    const isOpen = aead.open(out, key, bytes.subarray(4, 16), context, bytes.subarray(16));
    return isOpen ? out : undefined;
  };
  // One data key is of one attack alone.
  const sharing = dataKey === undefined ? shared : undefined;
  const sharedAs = `rest/${keyEncryptionKey === undefined ? '' : toHex(keyEncryptionKey)}`;
  const opened: Frame[] = [];
  for (const frame of evidence.frames) {
    const known = sharing?.find(sharedAs, frame);
    const bytes = known === undefined ? open(frame) : known.text;
    if (known === undefined) sharing?.keep(sharedAs, frame, bytes);
    if (bytes !== undefined) opened.push({ ...frame, bytes });
  }
  return opened;
}

/**
 * Takes bytes for what they may be without any key: the text. A frame for the receiver goes before a
 * copy; where a message has several frames the first is claimed.
 */
export function readAsText(frames: readonly Frame[]): Map<number, Uint8Array> {
  const claims = new Map<number, Uint8Array>();
  for (const { message, bytes } of frames) {
    if (!claims.has(message)) claims.set(message, bytes);
  }
  return claims;
}
