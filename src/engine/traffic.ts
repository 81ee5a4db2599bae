/**
 * Messages between the ends of a pipeline, with a relay anywhere between: frames are made ahead, go
 * where somebody takes them, and are opened and compared when they come back.
 *
 * Messages are made in blocks of one direction. Within a block nobody waits for an answer; whoever
 * received in one block speaks in the next, once all of the block was opened. So a ratchet turns once
 * in a block.
 *
 * @module
 */

import { HarnessError } from '../core/errors.ts';
import { EMPTY, equalBytes } from '../core/bytes.ts';
import type { Provider } from '../crypto/provider.ts';
import { providerRandomness } from '../crypto/randomness.ts';
import { PackedMembers } from '../pipelines/_members.ts';
import {
  OUTCOME,
  synchronousClients,
  type Authority,
  type Clients,
  type Pipeline,
  type World,
} from '../pipelines/_pipeline.ts';
import type { Behaviour } from '../workload/behaviour.ts';
import {
  indexOf,
  longestMessage,
  messagesOf,
  writeScript,
  type Script,
} from '../workload/script.ts';
import type { Workload } from '../workload/workload.ts';
import { EngineOutbox } from './batch.ts';
import { Payload } from './payload.ts';

export interface TrafficSpec {
  readonly workload: Workload;
  readonly options: Readonly<Record<string, string>>;
  readonly seed: number;
}

/** A frame as it goes to the relay. */
export interface MadeFrame {
  /** Counted from 0 over all blocks. */
  readonly message: number;
  readonly from: number;
  readonly to: number;
  readonly kind: 'message' | 'control' | 'escrow';
  readonly bytes: Uint8Array;
}

/** What an authority makes of evidence: a plaintext that is right, or none. */
export type Recovered = 'recovered' | 'opaque';

/** Lengths of a session's messages, taken in turn. */
const LENGTHS_PER_SESSION = 64;
/** Of one message, with room for what a wrong frame may open to. */
const OUT_BYTES = 2 ** 21;

export class Traffic {
  /** The relay's secrets, serialised. */
  readonly relaySecret: Uint8Array;
  readonly users: number;
  readonly sessions: number;
  /** Whether senders do not say who they are. */
  readonly isAnonymous: boolean;
  readonly #pipeline: Pipeline;
  readonly #clients: Clients;
  readonly #authority: Authority | undefined;
  readonly #targets: number;
  readonly #evidence: 'message' | 'escrow';
  readonly #members: PackedMembers;
  readonly #script: Script;
  readonly #payload: Payload;
  /** Per session: messages so far. */
  readonly #ordinals: Uint32Array;
  /** Per message: its session, its number there, and who sent it. */
  readonly #sessionOf: number[] = [];
  readonly #ordinalOf: number[] = [];
  readonly #speakerOf: number[] = [];
  readonly #out = new Uint8Array(OUT_BYTES);
  #speaker = 1;

  private constructor(
    pipeline: Pipeline,
    provider: Provider,
    spec: TrafficSpec,
    world: World,
    script: Script,
  ) {
    const members = new PackedMembers(script.members);
    this.#pipeline = pipeline;
    this.#clients = synchronousClients(world.clients);
    const { authority: secrets, directory } = world;
    const { options } = spec;
    this.#authority =
      secrets && pipeline.openAuthority?.({ provider, secrets, directory, members, options });
    this.#targets = world.targets ?? script.sessions;
    this.#evidence = world.evidence ?? 'message';
    this.#members = members;
    this.#script = script;
    this.#payload = new Payload(spec.seed, longestMessage(script));
    this.#ordinals = new Uint32Array(script.sessions);
    this.relaySecret = world.relay;
    this.users = script.users;
    this.sessions = script.sessions;
    this.isAnonymous = world.senders !== undefined;
  }

  /**
   * Opens all sessions at one end.
   *
   * @throws HarnessError WRONG_RESULT when one is refused.
   */
  static async open(
    pipeline: Pipeline,
    provider: Provider,
    behaviour: Behaviour,
    spec: TrafficSpec,
  ): Promise<Traffic> {
    const { sessions } = spec.workload;
    const workload = { ...spec.workload, messages: LENGTHS_PER_SESSION };
    const script = writeScript(workload, behaviour, spec.seed, 0, sessions);
    const world = await pipeline.open({
      provider,
      randomness: providerRandomness(provider),
      users: script.users,
      members: new PackedMembers(script.members),
      options: spec.options,
      seed: spec.seed,
    });
    const traffic = new Traffic(pipeline, provider, spec, world, script);
    traffic.#initiate();
    return traffic;
  }

  /** The users of a session: who opened it, and the other. */
  usersOf(session: number): readonly [number, number] {
    return [this.#members.user(session, 0), this.#members.user(session, 1)];
  }

  /** Sessions in which a user takes part and whose evidence the authority gets. */
  sessionsOf(user: number): number[] {
    return Array.from({ length: this.sessions }, (_, session) => session).filter((session) =>
      this.usersOf(session).includes(user),
    );
  }

  /**
   * The next block: one message for each entry, the other end speaking than in the block before.
   *
   * @param sessions Of the messages, in the order in which they are to be sent. In the first block
   *   every session has a message, or it has none in the second.
   */
  makeBlock(sessions: Iterable<number>): MadeFrame[] {
    this.#speaker = 1 - this.#speaker;
    const outbox = new EngineOutbox();
    for (const session of sessions) {
      const message = this.#sessionOf.length;
      const ordinal = this.#ordinals[session]!;
      this.#ordinals[session] = ordinal + 1;
      this.#sessionOf.push(session);
      this.#ordinalOf.push(ordinal);
      this.#speakerOf.push(this.#speaker);
      outbox.message = message;
      this.#clients.send(session, this.#speaker, this.#plaintext(message), 0, outbox);
    }
    return Array.from({ length: outbox.count }, (_, at) => {
      const message = outbox.messages[at]!;
      const kind = outbox.kinds[at]!;
      if (kind === 'bundle')
        throw new TypeError('"kind" expected a frame of a message, got bundle');
      const from = this.#members.user(this.#sessionOf[message]!, this.#speakerOf[message]!);
      return { message, from, to: outbox.toUsers[at]!, kind, bytes: outbox.frames[at]! };
    });
  }

  /**
   * Opens a frame of kind `message` at its receiver and compares what comes out.
   *
   * @returns What is wrong with it, in words; undefined when it is what was sent.
   */
  receive(message: number, frame: Uint8Array): string | undefined {
    const session = this.#sessionOf[message]!;
    const receiver = 1 - this.#speakerOf[message]!;
    const length = this.#clients.receive(session, receiver, frame, 0, this.#out);
    if (length < 0) return `its receiver refused it: ${outcomeName(length)}`;
    return equalBytes(this.#out.subarray(0, length), this.#plaintext(message))
      ? undefined
      : 'it opened to another plaintext';
  }

  /** Whether a frame is what the authority is to be shown of its message. */
  isEvidence({ message, kind }: Pick<MadeFrame, 'message' | 'kind'>): boolean {
    return kind === this.#evidence && this.#sessionOf[message]! < this.#targets;
  }

  /**
   * Shows the authority what was handed over of a message.
   *
   * @returns What it made of it; a sentence in `fault` where that is not what the pipeline promises.
   */
  recover(message: number, evidence: Uint8Array): Recovered | { readonly fault: string } {
    const plaintext = this.#plaintext(message);
    if (this.#pipeline.family === 'plaintext-relay') {
      if (equalBytes(evidence, plaintext)) return 'recovered';
      return { fault: 'what was handed over is not what was written' };
    }
    if (this.#authority === undefined) return 'opaque';
    const session = this.#sessionOf[message]!;
    const member = this.#speakerOf[message]!;
    const length = this.#authority.recover(session, member, evidence, this.#out);
    const promised = this.#pipeline.recovers ?? 'all';
    if (length < 0) {
      if (promised === 'none') return 'opaque';
      return { fault: `the authority could not recover it: ${outcomeName(length)}` };
    }
    if (equalBytes(this.#out.subarray(0, length), plaintext)) return 'recovered';
    return { fault: 'the authority recovered another plaintext' };
  }

  #plaintext(message: number): Uint8Array {
    const session = this.#sessionOf[message]!;
    const ordinal = this.#ordinalOf[message]!;
    const at = indexOf(this.#script, session, ordinal % messagesOf(this.#script, session));
    return this.#payload.plaintext(session, ordinal, this.#script.lengths[at]!);
  }

  #initiate(): void {
    for (let session = 0; session < this.sessions; session++) {
      const outbox = new BundleOutbox();
      this.#clients.publish(this.#members.user(session, 1), 0, outbox);
      if (this.#clients.initiate(session, 0, outbox.bundle, 0) >= 0) continue;
      throw new HarnessError(
        'WRONG_RESULT',
        `session ${session} could not be opened: bundle refused`,
      );
    }
  }
}

/** Keeps the one bundle that is published. */
class BundleOutbox {
  bundle: Uint8Array = EMPTY;
  #reserved: Uint8Array = EMPTY;

  reserve(bytes: number): Uint8Array {
    this.#reserved = new Uint8Array(bytes);
    return this.#reserved;
  }

  emit(_toUser: number, _kind: string, length: number): void {
    this.bundle = this.#reserved.subarray(0, length);
  }
}

function outcomeName(outcome: number): string {
  const found = Object.entries(OUTCOME).find(([, code]) => code === outcome);
  return found === undefined ? String(outcome) : found[0];
}
