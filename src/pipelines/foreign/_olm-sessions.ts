/**
 * Where the sessions of libolm are between calls: in its memory, or pickled.
 *
 * @module
 */

import type { Session } from '@matrix-org/olm';
import type { Libolm } from './_libolm.ts';

/** `persist=packed`: objects of libolm's, 3,320 bytes of WebAssembly memory each. */
export class KeptSessions {
  readonly #sessions: (Session | undefined)[] = [];

  has(end: number): boolean {
    return this.#sessions[end] !== undefined;
  }

  /** Takes over an object. */
  put(end: number, session: Session): void {
    this.#sessions[end] = session;
  }

  use<T>(end: number, call: (session: Session) => T): T {
    return call(requireSession(this.#sessions[end]));
  }

  free(): void {
    for (const session of this.#sessions) session?.free();
  }
}

/** `persist=record`: a pickle each, from which every call makes a session and a new pickle. */
export class PickledSessions {
  readonly #library: Libolm;
  readonly #pickles: (string | undefined)[] = [];
  /** A text, because libolm overwrites a key that it gets as bytes. */
  readonly #key: string;

  constructor(library: Libolm) {
    this.#library = library;
    this.#key = crypto.getRandomValues(new Uint8Array(32)).toBase64();
  }

  has(end: number): boolean {
    return this.#pickles[end] !== undefined;
  }

  /** Takes over an object. */
  put(end: number, session: Session): void {
    this.#pickles[end] = session.pickle(this.#key);
    session.free();
  }

  /** What `call` does to the session is not kept when it throws. */
  use<T>(end: number, call: (session: Session) => T): T {
    const pickle = requireSession(this.#pickles[end]);
    const session = new this.#library.Session();
    try {
      session.unpickle(this.#key, pickle);
      const result = call(session);
      this.#pickles[end] = session.pickle(this.#key);
      return result;
    } finally {
      session.free();
    }
  }
}

function requireSession<T>(session: T | undefined): T {
  if (session === undefined)
    throw new RangeError('"session" expected one that is open, got one that is not');
  return session;
}
