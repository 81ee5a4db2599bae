/**
 * Lines of a trace into numbers: each says when who sent how many bytes in which session, and
 * nothing else is let in. Names are replaced by numbers and forgotten.
 *
 * @module
 */

import { badInput } from '../core/errors.ts';
import { parseJson, quoted } from '../core/json.ts';
import { TRACE_BYTES_MAX, TRACE_MESSAGES_MAX, TRACE_SESSIONS_MAX, type Trace } from './trace.ts';

const FIELDS = ['time', 'session', 'sender', 'bytes'] as const;
const NAME_CHARACTERS_MAX = 200;
const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

export class TraceReader {
  readonly #sessions = new Map<string, number>();
  readonly #userNumbers = new Map<string, number>();
  /** Two per session; -1 for an end that has not written yet. */
  readonly #users: number[] = [];
  readonly #atMs: number[] = [];
  readonly #bytes: number[] = [];
  readonly #of: number[] = [];
  readonly #members: number[] = [];
  #startMs = 0;

  get messages(): number {
    return this.#atMs.length;
  }

  /**
   * @param where File and line, for messages; what a line holds is in none of them.
   * @throws HarnessError BAD_INPUT
   */
  add(text: string, where: string): void {
    const json = parseJson(text, where);
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      throw badInput(`${where}: expected an object with ${FIELDS.join(', ')}`);
    }
    const line = json as Readonly<Record<string, unknown>>;
    for (const key of Object.keys(line)) {
      if ((FIELDS as readonly string[]).includes(key)) continue;
      throw badInput(
        `${where}: unknown field ${quoted(key)}; a trace is metadata only, ${FIELDS.join(', ')}: ` +
          'take out everything else, content above all',
      );
    }
    const atMs = timeOf(line['time'], where);
    const session = this.#sessionOf(nameOf(line['session'], 'session', where), where);
    const member = this.#memberOf(session, nameOf(line['sender'], 'sender', where), where);
    const { bytes } = line;
    if (!Number.isInteger(bytes) || (bytes as number) < 1 || (bytes as number) > TRACE_BYTES_MAX) {
      throw badInput(`${where}: bytes: expected an integer from 1 to ${TRACE_BYTES_MAX}`);
    }
    if (this.messages === 0) this.#startMs = atMs;
    const since = atMs - this.#startMs;
    if (since < (this.#atMs.at(-1) ?? 0)) {
      throw badInput(
        `${where}: time: expected no earlier one than that of the line before; sort by time`,
      );
    }
    if (this.messages === TRACE_MESSAGES_MAX) {
      throw badInput(`${where}: expected at most ${TRACE_MESSAGES_MAX} messages; cut the trace`);
    }
    this.#atMs.push(since);
    this.#bytes.push(bytes as number);
    this.#of.push(session);
    this.#members.push(member);
  }

  /** @throws HarnessError BAD_INPUT for a trace without messages. */
  finish(where: string): Trace {
    if (this.messages === 0)
      throw badInput(`${where}: expected a line for each message, found none`);
    // Who never writes is nobody that is known from elsewhere.
    let users = this.#userNumbers.size;
    return {
      atMs: Float64Array.from(this.#atMs),
      bytes: Uint32Array.from(this.#bytes),
      sessions: Uint32Array.from(this.#of),
      members: Uint8Array.from(this.#members),
      users: Uint32Array.from(this.#users, (user) => (user === -1 ? users++ : user)),
    };
  }

  #sessionOf(name: string, where: string): number {
    const known = this.#sessions.get(name);
    if (known !== undefined) return known;
    const session = this.#sessions.size;
    if (session === TRACE_SESSIONS_MAX) {
      throw badInput(`${where}: expected at most ${TRACE_SESSIONS_MAX} sessions; cut the trace`);
    }
    this.#sessions.set(name, session);
    this.#users.push(-1, -1);
    return session;
  }

  #memberOf(session: number, name: string, where: string): number {
    const user = this.#userNumbers.get(name) ?? this.#userNumbers.size;
    this.#userNumbers.set(name, user);
    for (const member of [0, 1]) {
      const at = session * 2 + member;
      if (this.#users[at] === -1) this.#users[at] = user;
      if (this.#users[at] === user) return member;
    }
    throw badInput(
      `${where}: sender: expected one of the two that write in this session, found a third; sessions ` +
        'are one to one, leave groups out',
    );
  }
}

function timeOf(time: unknown, where: string): number {
  if (typeof time === 'number' && Number.isFinite(time) && Math.abs(time) < 1e15) return time;
  const ms = typeof time === 'string' && ISO_TIME.test(time) ? Date.parse(time) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  throw badInput(
    `${where}: time: expected milliseconds, or a time such as "2026-01-31T12:00:00.250Z"`,
  );
}

function nameOf(name: unknown, field: string, where: string): string {
  if (typeof name === 'number' && Number.isFinite(name)) return String(name);
  if (typeof name === 'string' && name !== '' && name.length <= NAME_CHARACTERS_MAX) return name;
  throw badInput(
    `${where}: ${field}: expected a number or a text of at most ${NAME_CHARACTERS_MAX} characters`,
  );
}
