/**
 * A world whose every buffer turns to poison after the call: for verification, never for timing.
 *
 * A pipeline that keeps a reference to an input, writes its output late, or lets an output overlap
 * an input delivers wrong plaintexts here, and is found out.
 *
 * @module
 */

import { EMPTY } from '../core/bytes.ts';
import type {
  AsyncClients,
  Authority,
  Clients,
  FrameKind,
  Outbox,
  Relay,
} from '../pipelines/_pipeline.ts';

const POISON = 0xa5;

/** Runs `call` on a copy of `input` and poisons the copy. */
function lend<T>(input: Uint8Array, call: (copy: Uint8Array) => T): T {
  const copy = input.slice();
  const result = call(copy);
  copy.fill(POISON);
  return result;
}

/** Runs `call` on a buffer of its own, then copies what it wrote to `out` and poisons it. */
function borrow(out: Uint8Array, call: (own: Uint8Array) => number): number {
  const own = new Uint8Array(out.length).fill(POISON);
  const length = call(own);
  if (length > 0) out.set(own.subarray(0, length));
  own.fill(POISON);
  return length;
}

/** As `lend`, for a call that may read its input until its promise is settled. */
async function lendAsync<T>(input: Uint8Array, call: (copy: Uint8Array) => Promise<T>): Promise<T> {
  const copy = input.slice();
  const result = await call(copy);
  copy.fill(POISON);
  return result;
}

/** As `borrow`, for a call that may write until its promise is settled. */
async function borrowAsync(
  out: Uint8Array,
  call: (own: Uint8Array) => Promise<number>,
): Promise<number> {
  const own = new Uint8Array(out.length).fill(POISON);
  const length = await call(own);
  if (length > 0) out.set(own.subarray(0, length));
  own.fill(POISON);
  return length;
}

class PoisonedOutbox implements Outbox {
  readonly #outbox: Outbox;
  #frame: Uint8Array = EMPTY;

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  reserve(bytes: number): Uint8Array {
    this.#frame = new Uint8Array(bytes).fill(POISON);
    return this.#frame;
  }

  emit(toUser: number, kind: FrameKind, length: number): void {
    this.#outbox.reserve(length).set(this.#frame.subarray(0, length));
    this.#outbox.emit(toUser, kind, length);
    this.#frame.fill(POISON);
  }
}

export function poisonClients(clients: Clients): Clients {
  return {
    connect: (user, reply, atMs, out) =>
      lend(reply, (copy) => borrow(out, (own) => clients.connect(user, copy, atMs, own))),
    publish: (user, atMs, outbox) => clients.publish(user, atMs, new PoisonedOutbox(outbox)),
    initiate: (session, member, bundle, atMs) =>
      lend(bundle, (copy) => clients.initiate(session, member, copy, atMs)),
    send: (session, member, plaintext, atMs, outbox) =>
      lend(plaintext, (copy) =>
        clients.send(session, member, copy, atMs, new PoisonedOutbox(outbox)),
      ),
    receive: (session, member, frame, atMs, out) =>
      lend(frame, (copy) =>
        borrow(out, (own) => clients.receive(session, member, copy, atMs, own)),
      ),
    ...(clients.acknowledge && {
      acknowledge: (session, member) => clients.acknowledge!(session, member),
    }),
    storedKeys: () => clients.storedKeys?.() ?? 0,
    snapshot: (user) => clients.snapshot(user),
    keys: (user) => clients.keys(user),
  };
}

export function poisonAsyncClients(clients: AsyncClients): AsyncClients {
  return {
    asynchronous: true,
    publish: (user, atMs, outbox) => clients.publish(user, atMs, new PoisonedOutbox(outbox)),
    initiate: (session, member, bundle, atMs) =>
      lendAsync(bundle, (copy) => clients.initiate(session, member, copy, atMs)),
    send: (session, member, plaintext, atMs, outbox) =>
      lendAsync(plaintext, (copy) =>
        clients.send(session, member, copy, atMs, new PoisonedOutbox(outbox)),
      ),
    receive: (session, member, frame, atMs, out) =>
      lendAsync(frame, (copy) =>
        borrowAsync(out, (own) => clients.receive(session, member, copy, atMs, own)),
      ),
  };
}

export function poisonRelay(relay: Relay): Relay {
  return {
    connect: (user, flight, atMs, out) =>
      lend(flight, (copy) => borrow(out, (own) => relay.connect(user, copy, atMs, own))),
    accept: (from, to, frame, atMs, out) =>
      lend(frame, (copy) => borrow(out, (own) => relay.accept(from, to, copy, atMs, own))),
    deliver: (to, stored, atMs, out) =>
      lend(stored, (copy) => borrow(out, (own) => relay.deliver(to, copy, atMs, own))),
    handOver: (to, stored, out) =>
      lend(stored, (copy) => borrow(out, (own) => relay.handOver(to, copy, own))),
  };
}

export function poisonAuthority(authority: Authority): Authority {
  return {
    advance: (atMs) => authority.advance?.(atMs),
    recover: (session, member, evidence, out) =>
      lend(evidence, (copy) => borrow(out, (own) => authority.recover(session, member, copy, own))),
  };
}
