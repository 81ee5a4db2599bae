/**
 * A toy of an escrowed pipeline with a fault to order: a frame is its number, the plaintext and a
 * copy of it for the authority, all in the clear. With `fault=none` it keeps its contract.
 */

import { equalBytes, getUint32, putUint32, utf8 } from '../../src/core/bytes.ts';
import type { PackedMembers } from '../../src/pipelines/_members.ts';
import {
  OUTCOME,
  type Authority,
  type Clients,
  type Options,
  type Outbox,
  type Pipeline,
  type Relay,
} from '../../src/pipelines/_pipeline.ts';

export const FAULTS = [
  'none',
  'flipped-bit',
  'lost-message',
  'swapped-messages',
  'duplicates-accepted',
  'message-refused',
  'too-far-accepted',
  'field-of-another-text',
  'authority-silent',
  'keeps-input',
  'writes-late',
  'opens-in-place',
  'throws',
  'dies',
  'hangs',
] as const;
type Fault = (typeof FAULTS)[number];

/** The message that goes wrong, counted over all sessions: any but the first of a session. */
const AT_MESSAGE = 20;
const SKIP_LIMIT = 3;
const NUMBER_BYTES = 4;

function faultOf(options: Options): Fault {
  return FAULTS.find((fault) => fault === options['fault'])!;
}

class ToyClients implements Clients {
  readonly #members: PackedMembers;
  readonly #fault: Fault;
  /** Per end: messages sent, and the numbers of those received. */
  readonly #sent: Uint32Array;
  readonly #received: Set<number>[];
  readonly #kept: Uint8Array[] = [];
  #messages = 0;
  #openings = 0;
  /** A frame that waits for the next message of its end. */
  #heldBack: { readonly end: number; readonly frame: Uint8Array } | undefined;

  constructor(members: PackedMembers, fault: Fault) {
    this.#members = members;
    this.#fault = fault;
    this.#sent = new Uint32Array(members.sessions * 2);
    this.#received = Array.from({ length: members.sessions * 2 }, () => new Set());
  }

  connect(): number {
    return 0;
  }

  publish(): void {
    // Nothing is agreed.
  }

  initiate(): number {
    return 0;
  }

  send(
    session: number,
    member: number,
    plaintext: Uint8Array,
    _atMs: number,
    outbox: Outbox,
  ): void {
    const isTheOne = this.#messages++ === AT_MESSAGE;
    const end = session * 2 + member;
    const frame = new Uint8Array(NUMBER_BYTES + 2 * plaintext.length);
    putUint32(frame, 0, this.#sent[end]!++);
    frame.set(plaintext, NUMBER_BYTES);
    frame.set(plaintext, NUMBER_BYTES + plaintext.length);
    if (this.#fault === 'field-of-another-text' && isTheOne) frame[frame.length - 1]! ^= 1;
    if (this.#fault === 'keeps-input') this.#kept.push(plaintext);

    const to = this.#members.user(session, 1 - member);
    if (this.#fault === 'lost-message' && isTheOne) return;
    if (this.#fault === 'swapped-messages' && isTheOne) {
      this.#heldBack = { end, frame };
      return;
    }
    if (this.#fault === 'writes-late') {
      const reserved = outbox.reserve(frame.length);
      reserved.set(frame.subarray(0, NUMBER_BYTES + plaintext.length));
      outbox.emit(to, 'message', frame.length);
      reserved.set(frame);
      return;
    }
    emit(outbox, to, frame);
    if (this.#heldBack?.end !== end) return;
    emit(outbox, to, this.#heldBack.frame);
    this.#heldBack = undefined;
  }

  receive(
    session: number,
    member: number,
    frame: Uint8Array,
    _atMs: number,
    out: Uint8Array,
  ): number {
    const isTheOne = this.#openings++ === AT_MESSAGE;
    if (this.#fault === 'message-refused' && isTheOne) return OUTCOME.AUTH_FAILED;
    if (this.#fault === 'throws' && isTheOne) throw new Error('the toy was told to throw');
    const received = this.#received[session * 2 + member]!;
    const number = getUint32(frame, 0);
    if (this.#fault !== 'duplicates-accepted' && received.has(number)) return OUTCOME.DUPLICATE;
    const next = Math.max(-1, ...received) + 1;
    if (this.#fault !== 'too-far-accepted' && number - next > SKIP_LIMIT) return OUTCOME.TOO_FAR;
    received.add(number);

    const length = (frame.length - NUMBER_BYTES) / 2;
    const plaintext = frame.subarray(NUMBER_BYTES, NUMBER_BYTES + length);
    if (this.#fault === 'opens-in-place') {
      frame.copyWithin(0, NUMBER_BYTES, NUMBER_BYTES + length);
    } else if (this.#fault === 'keeps-input') {
      const kept = this.#kept.find((one) => one.length === length && equalBytes(one, plaintext));
      out.set(kept ?? this.#kept[0]!.subarray(0, length));
    } else {
      out.set(plaintext);
    }
    return length;
  }

  snapshot(): Uint8Array {
    return new Uint8Array(0);
  }

  keys(): Uint8Array {
    return new Uint8Array(0);
  }
}

function emit(outbox: Outbox, to: number, frame: Uint8Array): void {
  outbox.reserve(frame.length).set(frame);
  outbox.emit(to, 'message', frame.length);
}

function copy(bytes: Uint8Array, out: Uint8Array): number {
  out.set(bytes);
  return bytes.length;
}

function openRelay(fault: Fault): Relay {
  let delivered = 0;
  return {
    connect: () => 0,
    accept: (_from, _to, frame, _atMs, out) => copy(frame, out),
    deliver(_to, stored, _atMs, out) {
      const length = copy(stored, out);
      if (fault === 'flipped-bit' && delivered++ === AT_MESSAGE) out[NUMBER_BYTES]! ^= 0x10;
      return length;
    },
    handOver: (_to, stored, out) => copy(stored, out),
  };
}

function openAuthority(fault: Fault): Authority {
  return {
    recover(_session, _member, evidence, out) {
      if (fault === 'authority-silent') return OUTCOME.UNKNOWN_KEY;
      const length = (evidence.length - NUMBER_BYTES) / 2;
      out.set(evidence.subarray(NUMBER_BYTES + length));
      return length;
    },
  };
}

const toyEscrow: Pipeline = {
  name: 'toy-escrow',
  title: 'a toy with a fault to order',
  family: 'escrow-wrapped',
  rung: 'side',
  removes: 'nothing that was there',
  specs: [],
  caveats: ['For tests of the harness.'],
  options: { fault: { title: 'what goes wrong', values: FAULTS, default: 'none' } },
  replayProtection: true,
  skipLimit: SKIP_LIMIT,
  async open({ members, options }) {
    const fault = faultOf(options);
    if (fault === 'dies') process.kill(process.pid, 'SIGKILL');
    if (fault === 'hangs') {
      // Says that it is there: a test waits for this before it aborts.
      process.stderr.write(`hanging in process ${process.pid}\n`);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    }
    return {
      clients: new ToyClients(members, fault),
      relay: utf8('nothing secret'),
      authority: [utf8('nothing secret')],
      directory: new Uint8Array(0),
    };
  },
  openRelay: ({ options }) => openRelay(faultOf(options)),
  openAuthority: ({ options }) => openAuthority(faultOf(options)),
};

export default toyEscrow;
