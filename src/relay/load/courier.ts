/**
 * Between the ends of a pipeline and a relay: blocks of frames go out, come back and are opened, and
 * every one of them is accounted for.
 *
 * @module
 */

import { SeededRandom } from '../../core/random.ts';
import type { RelayClient } from './client.ts';
import { Account, type Faults, type Fetched, type SentFrame } from './delivery.ts';
import { drain, registerMailboxes } from './drain.ts';
import { driveOpenLoop, scheduleWith } from './open-loop.ts';
import type { Append } from './requests.ts';

/** A frame as the ends made it; the same shape as `MadeFrame` of src/engine/traffic.ts. */
export interface MadeFrame {
  readonly message: number;
  readonly from: number;
  readonly to: number;
  readonly kind: 'message' | 'control' | 'escrow';
  readonly bytes: Uint8Array;
}

/** The ends of a pipeline; `Traffic` of src/engine/traffic.ts. */
export interface Ends {
  readonly users: number;
  readonly sessions: number;
  /** Whether senders do not say who they are. */
  readonly isAnonymous: boolean;
  usersOf(session: number): readonly [number, number];
  sessionsOf(user: number): number[];
  makeBlock(sessions: Iterable<number>): MadeFrame[];
  /** @returns What is wrong, in words; undefined when it is what was sent. */
  receive(message: number, frame: Uint8Array): string | undefined;
  isEvidence(frame: Pick<MadeFrame, 'message' | 'kind'>): boolean;
  recover(message: number, evidence: Uint8Array): 'recovered' | 'opaque' | { fault: string };
}

/** Bytes of a token, as base64url without padding: see TOKEN_CHARACTERS. */
const TOKEN_BYTES = 32;
const random = new SeededRandom(process.pid);

export class Courier {
  readonly ends: Ends;
  readonly client: RelayClient;
  readonly faults: Faults;
  /** By mailbox. */
  readonly tokens: readonly string[];
  sent = 0;
  delivered = 0;
  readonly #account: Account;
  /** One message of every session. */
  readonly #first: readonly MadeFrame[];

  private constructor(
    ends: Ends,
    client: RelayClient,
    faults: Faults,
    tokens: readonly string[],
    first: readonly MadeFrame[],
  ) {
    this.ends = ends;
    this.client = client;
    this.faults = faults;
    this.tokens = tokens;
    this.#first = first;
    this.#account = new Account(faults);
  }

  /**
   * Registers all mailboxes.
   *
   * @throws Error for a relay that takes no mailbox.
   */
  static async open(ends: Ends, client: RelayClient, faults: Faults): Promise<Courier> {
    const first = ends.makeBlock(Array(ends.sessions).keys());
    // Some pipelines send to a mailbox that no user has.
    const mailboxes = first.reduce((most, { to }) => Math.max(most, to + 1), ends.users);
    const held = Array.from({ length: mailboxes }, () => newToken());
    await registerMailboxes(client, held);
    return new Courier(ends, client, faults, held, first);
  }

  /**
   * Delivers one message of every session, which opens it at both ends; once, before anything else.
   *
   * @returns What was sent.
   */
  async begin(): Promise<readonly Append[]> {
    const appends = this.appendsOf(this.#first);
    await this.deliver(appends);
    return appends;
  }

  appendsOf(frames: readonly MadeFrame[]): Append[] {
    return frames.map(({ message, from, to, kind, bytes }) => ({
      frame: { mailbox: to, message, id: 0, beganNs: 0, acknowledgedNs: 0 },
      kind,
      bytes,
      ...(this.ends.isAnonymous ? {} : { from }),
    }));
  }

  /** Sends at once what the relay takes, fetches it and settles; untimed. */
  async deliver(appends: readonly Append[]): Promise<void> {
    const { client, tokens, faults } = this;
    // All are due at the start, and no device fetches meanwhile.
    const schedule = scheduleWith(appends, new Float64Array(appends.length), Infinity);
    await driveOpenLoop({ client, tokens, schedule, faults });
    await this.settle(appends, []);
  }

  /**
   * Fetches what is left of a block and accounts for all of it: each message is opened by its receiver
   * and compared.
   */
  async settle(appends: readonly Append[], fetched: readonly Fetched[]): Promise<void> {
    const fetchable = appends.filter(({ kind }) => kind !== 'escrow');
    const mailboxes = new Set(fetchable.map(({ frame }) => frame.mailbox));
    const rest = await drain(this.client, this.tokens, mailboxes, this.faults);
    const kinds = new Map<SentFrame, Append['kind']>(
      fetchable.map(({ frame, kind }) => [frame, kind]),
    );
    for (const { frame, kind } of appends) {
      if (kind === 'message') this.sent += 1;
      else if (kind === 'escrow' && frame.id === 0) {
        this.faults.add(`evidence of message ${frame.message} was not taken`);
      }
    }
    const settled = this.#account.settle(
      fetchable.map(({ frame }) => frame),
      [...fetched, ...rest],
    );
    for (const { frame, bytes } of settled) {
      if (kinds.get(frame) !== 'message') continue;
      const fault = this.ends.receive(frame.message, bytes);
      if (fault === undefined) this.delivered += 1;
      else this.faults.add(`message ${frame.message}: ${fault}`);
    }
  }
}

/** No secret: the relay that it is for serves nobody else and is gone in seconds. */
export function newToken(): string {
  const bytes = new Uint8Array(TOKEN_BYTES);
  random.fill(bytes);
  return bytes.toBase64({ alphabet: 'base64url', omitPadding: true });
}
