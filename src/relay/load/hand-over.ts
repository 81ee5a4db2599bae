/**
 * How soon an authority has what was intercepted: a stream of one target's messages, while traffic of
 * all users goes on.
 *
 * @module
 */

import { get as getHttp, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { equalBytes } from '../../core/bytes.ts';
import { HarnessError } from '../../core/errors.ts';
import { SeededRandom } from '../../core/random.ts';
import { nowNs } from '../../measure/clock.ts';
import { Histogram } from '../../measure/histogram.ts';
import type { HandOverFacts, RelayOpenFacts } from '../../measure/relay-facts.ts';
import { scheduleArrivals } from '../../workload/arrivals.ts';
import { bearer, HandedReader, handOverPath, type HandedFrame } from '../protocol.ts';
import { connectOptions, type RelayAddress } from './client.ts';
import type { Courier } from './courier.ts';
import { generatorFault } from './generator-health.ts';
import { openFactsOf } from './knee.ts';
import { driveOpenLoop, scheduleWith } from './open-loop.ts';
import type { Append } from './requests.ts';
import type { RelaySpec } from './spec.ts';
import { useBetween, type RelayUnderLoad } from './under-load.ts';

/**
 * Of all messages, those of the target's sessions: one user in ten thousand writes and gets far less,
 * too little to say anything about.
 */
const TARGET_SHARE = 0.2;
/** After the last acknowledgement nothing on this machine takes longer. */
const LATEST_MS = 5_000;
/** Until the driver keeps up in one. */
const WINDOWS_MAX = 6;
const ARRIVALS_STREAM = 0x6172_7276;
const SESSIONS_STREAM = 0x7365_7373;

export interface HandOverResult {
  /** Left out where the opening of the sessions went wrong. */
  readonly handOver?: HandOverFacts;
  readonly openLoop?: RelayOpenFacts;
  readonly invalid?: string;
}

/** Opens the stream, then the sessions, and then times what is handed over of the traffic in them. */
export async function handOver(
  courier: Courier,
  relay: RelayUnderLoad,
  spec: RelaySpec,
  authorityToken: string,
): Promise<HandOverResult> {
  const { ends, client, tokens, faults } = courier;
  const ratePerSecond = spec.ratePerSecond!;
  // Who answers speaks in what is timed: of that the target's device leaves evidence of its own. Where
  // senders are not named, a relay knows only what is sent to the target.
  const place = ends.isAnonymous ? 0 : 1;
  const target = ends.usersOf(0)[place];
  // Where the target has the other place in a session, the other end is who speaks.
  const watched = ends.sessionsOf(target).filter((own) => ends.usersOf(own)[place] === target);
  const isTargets = ({ frame, from }: Append): boolean =>
    frame.mailbox === target || from === target;
  const stream = await AuthorityStream.open(relay.address, [target], authorityToken);
  try {
    const opening = (await courier.begin()).filter(isTargets);
    if (faults.count > 0) return {};
    await stream.waitFor(opening.length, LATEST_MS);
    accountFor(courier, opening, stream.take());
    const count = Math.max(1, Math.round((ratePerSecond * (spec.warmupMs + spec.timedMs)) / 1_000));
    const arrivals = { pattern: 'poisson', perSecond: ratePerSecond } as const;
    for (let window = 1; ; window++) {
      const dueNs = scheduleArrivals(arrivals, { count }, spec.seed, ARRIVALS_STREAM, window);
      const sessions = sessionsWith(courier, watched, count, spec.seed, window);
      const appends = courier.appendsOf(ends.makeBlock(sessions));
      const first = appends[0]!.frame.message;
      const due = appends.map(({ frame }) => dueNs[frame.message - first]!);
      const schedule = scheduleWith(appends, due, spec.messagesPerFetch);
      const before = await relay.snapshot();
      const result = await driveOpenLoop({ client, tokens, schedule, faults });
      const after = await relay.snapshot();
      const expected = appends.filter(isTargets);
      await stream.waitFor(expected.length, LATEST_MS);
      await courier.settle(appends, result.fetched);
      const use = useBetween(before, after);
      const openLoop = openFactsOf(result, ratePerSecond, use, window);
      const facts = accountFor(courier, expected, stream.take());
      const fault = generatorFault(result);
      if (fault !== undefined && window < WINDOWS_MAX && faults.count === 0) {
        await answerOnce(courier, stream, isTargets);
        continue;
      }
      const invalid = fault === undefined ? {} : { invalid: `in ${window} windows, ${fault}` };
      return { handOver: { users: ends.users, targets: 1, ...facts }, openLoop, ...invalid };
    }
  } finally {
    stream.close();
  }
}

/** Ends take turns from block to block: one message of the others, so that the same speak again. */
async function answerOnce(
  courier: Courier,
  stream: AuthorityStream,
  isTargets: (append: Append) => boolean,
): Promise<void> {
  const appends = courier.appendsOf(courier.ends.makeBlock([0]));
  await courier.deliver(appends);
  const expected = appends.filter(isTargets);
  await stream.waitFor(expected.length, LATEST_MS);
  accountFor(courier, expected, stream.take());
}

/** Of each message its session: of the target's one after the other, else any. */
function sessionsWith(
  { ends }: Courier,
  watched: readonly number[],
  count: number,
  seed: number,
  window: number,
): number[] {
  const random = new SeededRandom(seed, SESSIONS_STREAM, window);
  return Array.from({ length: count }, () =>
    random.fraction() < TARGET_SHARE
      ? watched[random.below(watched.length)]!
      : random.below(ends.sessions),
  );
}

/** Every frame to or from the target was handed over, once, and is what was sent. */
function accountFor(
  { ends, faults }: Courier,
  expected: readonly Append[],
  handed: readonly (HandedFrame & { readonly atNs: number })[],
): Omit<HandOverFacts, 'users' | 'targets'> {
  const waiting = new Map<string, Append>(
    expected.map((append) => [`${append.frame.mailbox}/${append.frame.id}`, append]),
  );
  const latency = new Histogram();
  const afterAcknowledgement = new Histogram();
  let recovered = 0;
  let opaque = 0;
  for (const { to, id, bytes, atNs } of handed) {
    const append = waiting.get(`${to}/${id}`);
    if (append === undefined) {
      faults.add(`the authority was handed frame ${id} of mailbox ${to} twice, or though not due`);
      continue;
    }
    waiting.delete(`${to}/${id}`);
    const { frame } = append;
    latency.record(atNs - frame.beganNs);
    afterAcknowledgement.record(atNs - frame.acknowledgedNs);
    const evidence = { message: frame.message, kind: append.kind };
    const outcome = ends.isEvidence(evidence) ? ends.recover(frame.message, bytes) : 'opaque';
    if (typeof outcome === 'object') faults.add(`message ${frame.message}: ${outcome.fault}`);
    else if (outcome === 'recovered') recovered += 1;
    else {
      opaque += 1;
      if (equalBytes(bytes, append.bytes)) continue;
      faults.add(`message ${frame.message}: another frame was handed over than was sent`);
    }
  }
  for (const { frame } of waiting.values()) {
    faults.add(`message ${frame.message} of a target was not handed over`);
  }
  return {
    due: expected.length,
    handed: handed.length,
    recovered,
    sees: recovered > 0 ? 'recovered' : 'opaque',
    latency: latency.encode(),
    afterAcknowledgement: afterAcknowledgement.encode(),
  };
}

/** What the authority reads, with the moment when each frame was whole. */
class AuthorityStream {
  readonly #frames: (HandedFrame & { readonly atNs: number })[] = [];
  readonly #response: IncomingMessage;
  #isBroken = false;

  private constructor(response: IncomingMessage) {
    this.#response = response;
    const reader = new HandedReader();
    response.on('data', (chunk: Uint8Array) => {
      const atNs = nowNs();
      for (const frame of reader.push(chunk)) this.#frames.push({ ...frame, atNs });
    });
    response.on('error', () => {
      this.#isBroken = true;
    });
    response.on('close', () => {
      this.#isBroken = true;
    });
  }

  /** @throws HarnessError when the relay refuses it. */
  static async open(
    { origin, tls }: RelayAddress,
    targets: readonly number[],
    token: string,
  ): Promise<AuthorityStream> {
    const get = tls === undefined ? getHttp : getHttps;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(
        new URL(handOverPath(targets), origin),
        {
          headers: { authorization: bearer(token) },
          ...(tls === undefined ? {} : connectOptions(tls)),
        },
        resolve,
      ).on('error', reject);
    });
    if (response.statusCode === 200) return new AuthorityStream(response);
    response.destroy();
    throw new HarnessError(
      'WRONG_RESULT',
      `the relay refused the hand-over with ${response.statusCode}`,
    );
  }

  /** Until so many frames are there, nothing more can come, or the time is up. */
  async waitFor(count: number, latestMs: number): Promise<void> {
    const endMs = performance.now() + latestMs;
    while (this.#frames.length < count && !this.#isBroken && performance.now() < endMs) {
      await sleep(5);
    }
  }

  /** What came since the last call. */
  take(): readonly (HandedFrame & { readonly atNs: number })[] {
    return this.#frames.splice(0);
  }

  close(): void {
    this.#response.destroy();
  }
}
