/**
 * A recorded conversation as metadata only: who sends how many bytes in which session, and when.
 *
 * Sessions and users are numbers. Packed into one text of a workload file: columns in little endian
 * (time of each message in ms, bytes, session, the two users of each session, sender), deflated, in
 * base64.
 *
 * @module
 */

import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { z } from 'zod';
import { badInput } from '../core/errors.ts';

export const TRACE_MESSAGES_MAX = 1_000_000;
export const TRACE_SESSIONS_MAX = 200_000;
export const TRACE_BYTES_MAX = 1_048_576;
const PACKED_CHARACTERS_MAX = 2 ** 25;
/** Columns of a message, and of a session. */
const MESSAGE_BYTES = 8 + 4 + 4 + 1;
const SESSION_BYTES = 8;

export const traceSchema = z.strictObject({
  messages: z.int().min(1).max(TRACE_MESSAGES_MAX),
  sessions: z.int().min(1).max(TRACE_SESSIONS_MAX),
  packed: z.string().max(PACKED_CHARACTERS_MAX),
});
export type PackedTrace = z.infer<typeof traceSchema>;

/** Columns in the order of time. */
export interface Trace {
  /** Since the first message, ascending. */
  readonly atMs: Float64Array;
  readonly bytes: Uint32Array;
  readonly sessions: Uint32Array;
  /** Who sends: 0 is who sent the first message of the session. */
  readonly members: Uint8Array;
  /** Two per session. */
  readonly users: Uint32Array;
}

export function packTrace({ atMs, bytes, sessions, members, users }: Trace): PackedTrace {
  const columns = [atMs, bytes, sessions, users, members].map(
    (column) => new Uint8Array(column.buffer, column.byteOffset, column.byteLength),
  );
  const packed = deflateRawSync(Buffer.concat(columns), { level: 9 }).toString('base64');
  return { messages: atMs.length, sessions: users.length / 2, packed };
}

/** @throws HarnessError BAD_INPUT for a text that holds no such columns. */
export function unpackTrace({ messages, sessions: count, packed }: PackedTrace): Trace {
  const length = messages * MESSAGE_BYTES + count * SESSION_BYTES;
  let data: Uint8Array;
  try {
    data = inflateRawSync(Buffer.from(packed, 'base64'), { maxOutputLength: length });
  } catch {
    throw damaged();
  }
  if (data.length !== length) throw damaged();
  let at = 0;
  const next = (bytes: number): ArrayBuffer => {
    at += bytes;
    return Uint8Array.from(data.subarray(at - bytes, at)).buffer;
  };
  const trace: Trace = {
    atMs: new Float64Array(next(messages * 8)),
    bytes: new Uint32Array(next(messages * 4)),
    sessions: new Uint32Array(next(messages * 4)),
    users: new Uint32Array(next(count * 8)),
    members: new Uint8Array(next(messages)),
  };
  requireWhole(trace, count);
  return trace;
}

function requireWhole({ atMs, bytes, sessions, members, users }: Trace, count: number): void {
  const begun = new Uint8Array(count);
  let before = 0;
  for (const [i, moment] of atMs.entries()) {
    const session = sessions[i]!;
    const isFine =
      moment >= before &&
      moment < Infinity &&
      bytes[i]! >= 1 &&
      bytes[i]! <= TRACE_BYTES_MAX &&
      session < count &&
      members[i]! <= (begun[session] ?? 0);
    if (!isFine) throw damaged();
    begun[session] = 1;
    before = moment;
  }
  const areTwo = begun.every((_, session) => users[session * 2] !== users[session * 2 + 1]);
  if (begun.includes(0) || !areTwo) throw damaged();
}

function damaged(): Error {
  return badInput(
    'trace.packed: expected what sealbench import-trace writes; it is damaged, import the trace again',
  );
}
