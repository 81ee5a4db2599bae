/**
 * A toy that escrows a key for each chain of four messages of an end, in a field on a frame of the chain:
 * on its first only, on all, or on all until the relay has acknowledged one. What arrives nowhere before
 * evidence is taken is lost to its authority.
 */

import { utf8 } from '../../src/core/bytes.ts';
import {
  OUTCOME,
  type Clients,
  type Authority,
  type Pipeline,
  type Setup,
} from '../../src/pipelines/_pipeline.ts';
import { copy, IDLE, plainRelay, TOY_TEXTS } from './_toy.ts';

const CHAIN_MESSAGES = 4;
const HEADER_BYTES = 2;

/** Never 0, which stands for a field left out. */
function keyOf(session: number, member: number, chain: number): number {
  return 1 + ((session * 31 + member * 17 + chain * 7) % 255);
}

/** Frame: chain, field or 0, and the plaintext under the chain's key. */
function toyClients({ members, options }: Setup): Clients {
  const sent = new Map<number, number>();
  /** By end: the chain whose field the relay has acknowledged, or that its next acknowledgement is of. */
  const acknowledged = new Map<number, number>();
  const waiting = new Map<number, number>();
  return {
    ...IDLE,
    send(session, member, plaintext, _atMs, outbox) {
      const end = session * 2 + member;
      const number = sent.get(end) ?? 0;
      sent.set(end, number + 1);
      const chain = Math.floor(number / CHAIN_MESSAGES);
      const key = keyOf(session, member, chain);
      const isFirst = number % CHAIN_MESSAGES === 0;
      const repeats = {
        none: false,
        'every-frame': true,
        'until-relay-ack': acknowledged.get(end) !== chain,
      }[options['repeat']!]!;
      const length = HEADER_BYTES + plaintext.length;
      const frame = outbox.reserve(length);
      frame[0] = chain;
      frame[1] = isFirst || repeats ? key : 0;
      for (let i = 0; i < plaintext.length; i++) frame[HEADER_BYTES + i] = plaintext[i]! ^ key;
      waiting.set(end, chain);
      outbox.emit(members.user(session, 1 - member), 'message', length);
    },
    receive(session, member, frame, _atMs, out) {
      const key = keyOf(session, 1 - member, frame[0]!);
      return open(frame, key, out);
    },
    acknowledge(session, member) {
      const end = session * 2 + member;
      const chain = waiting.get(end);
      if (chain === undefined) throw new Error('acknowledged what was not sent');
      waiting.delete(end);
      acknowledged.set(end, chain);
    },
  };
}

function open(frame: Uint8Array, key: number, out: Uint8Array): number {
  const length = copy(frame.subarray(HEADER_BYTES), out);
  for (let i = 0; i < length; i++) out[i]! ^= key;
  return length;
}

function toyAuthority(wrong: boolean): Authority {
  const keys = new Map<string, number>();
  return {
    recover(session, member, evidence, out) {
      const chain = `${session}/${member}/${evidence[0]!}`;
      if (evidence[1] !== 0) keys.set(chain, evidence[1]!);
      const key = keys.get(chain) ?? (wrong ? 1 : undefined);
      return key === undefined ? OUTCOME.UNKNOWN_KEY : open(evidence, key, out);
    },
  };
}

const toyChain: Pipeline = {
  ...TOY_TEXTS,
  name: 'toy-chain',
  title: 'a toy with a field per chain',
  options: {
    repeat: {
      title: 'on which frames of a chain the field stands',
      values: ['none', 'every-frame', 'until-relay-ack'],
      default: 'none',
    },
    unknown: {
      title: 'what the authority does without a key',
      values: ['fails', 'guesses'],
      default: 'fails',
    },
  },
  open: (setup) => ({
    clients: toyClients(setup),
    relay: utf8('nothing secret'),
    authority: [utf8('nothing secret')],
    directory: new Uint8Array(0),
  }),
  openRelay: () => plainRelay(),
  openAuthority: ({ options }) => toyAuthority(options['unknown'] === 'guesses'),
};

export default toyChain;
