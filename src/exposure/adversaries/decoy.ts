import { equalBytes, utf8 } from '../../core/bytes.ts';
import { SeededRandom } from '../../core/random.ts';
import { notMounted, type ActingAdversary, type Played } from '../adversary.ts';
import { DECOY_AT, DECOY_MESSAGE_BYTES } from '../decoy-sealing.ts';
import { FalseCopies } from '../false-copies.ts';
import { canModify, modifiedPipeline } from '../modified-client.ts';
import { conversationsOf, pairs, Stage, type Sent } from '../stage.ts';
import type { TownPlan } from '../town.ts';

const SPEAKERS = [0, 1, 0, 0, 1];
const DECOY = utf8('happy birthday!!');

/**
 * A12: a sender whose message opens to another text under the key that it escrows. Commitment is what
 * AEADs do not have: Dodis et al., CRYPTO 2018; Len et al., USENIX Security 2021. Where the authority
 * has a mailbox of its own, a sender that puts another text there.
 */
const decoy: ActingAdversary = {
  kind: 'actor',
  name: 'decoy',
  id: 'A12',
  title: 'Decoy for the authority',
  gets: 'its own client at one end, or at both',
  holds: 'a few conversations',
  async play({ plan, world }) {
    if (world.authority === undefined || plan.pipeline.recovers === 'none') {
      return notMounted('no-such-power', 'no authority reads anything that could be a decoy');
    }
    if (world.evidence !== 'escrow' && !canModify(plan.pipeline)) {
      return notMounted('unsupported', 'no modified client of this design is built');
    }
    return [await show(plan, [0]), await show(plan, [0, 1])];
  },
};

export default decoy;

/** What the authority is to read in place of a message. */
const FALSE_TEXT = new Uint8Array(DECOY_MESSAGE_BYTES);
FALSE_TEXT.set(DECOY, DECOY_AT);

/** Clients of which some send decoys. */
interface Liars {
  readonly pipeline: TownPlan['pipeline'];
  /** Sends a text, and to the authority, where the sender is one of them, a decoy. */
  readonly send: (stage: Stage, session: number, member: number, text: Uint8Array) => Sent;
}

function liars({ pipeline, options }: TownPlan, members: readonly number[]): Liars {
  switch (pipeline.rung) {
    case 'E1': {
      const copies = new FalseCopies(pipeline);
      return {
        pipeline: copies.pipeline,
        send(stage, session, member, text) {
          copies.tell(members.includes(member) ? FALSE_TEXT : undefined);
          return stage.send(session, member, text);
        },
      };
    }
    case 'C7':
      return {
        pipeline,
        send(stage, session, member, text) {
          const sent = stage.send(session, member, text);
          return members.includes(member) ? { ...sent, copy: FALSE_TEXT } : sent;
        },
      };
    default: {
      // Two ends that agree also agree on the commitment of the decoy's key.
      const falseCommitment = options['msg'] === 'etm-commit' && members.length === 2;
      return {
        pipeline: modifiedPipeline(pipeline, { members, decoy: DECOY, falseCommitment }),
        send: (stage, session, member, text) => stage.send(session, member, text),
      };
    }
  }
}

async function show(plan: TownPlan, members: readonly number[]): Promise<Played> {
  const { pipeline, send } = liars(plan, members);
  const conversations = conversationsOf(plan);
  const stage = await Stage.open(plan, pairs(conversations), conversations * 2, pipeline);
  const sent: Sent[] = [];
  const arrived: (Uint8Array | undefined)[] = [];
  for (let session = 0; session < conversations; session++) {
    const isOpen = [true, false];
    for (const [index, member] of SPEAKERS.entries()) {
      if (!isOpen[member]!) continue;
      const text = new Uint8Array(DECOY_MESSAGE_BYTES);
      new SeededRandom(plan.seed, session, index).fill(text);
      const one = send(stage, session, member, text);
      const received = stage.receive(session, 1 - member, one.frame);
      const isText = typeof received !== 'number';
      if (isText) isOpen[1 - member] = true;
      // All but the first block is whatever the decoy needed: what was delivered is what counts.
      arrived.push(
        isText && equalBytes(received.subarray(0, 16), text.subarray(0, 16)) ? received : undefined,
      );
      sent.push(one);
    }
  }
  const read = stage.readAll(sent);
  let hits = 0;
  let of = 0;
  for (const [at, { member }] of sent.entries()) {
    if (!members.includes(member)) continue;
    of += 1;
    const opened = read.get(at);
    const delivered = arrived[at];
    if (opened === undefined || delivered === undefined || equalBytes(opened, delivered)) continue;
    if (equalBytes(opened.subarray(DECOY_AT, DECOY_AT + DECOY.length), DECOY)) hits += 1;
  }
  const label = `ends=${members.length}`;
  return { label, rate: 'decoy-rate', hits, of, expected: expectedRate(plan, members.length) };
}

function expectedRate({ pipeline, options }: TownPlan, ends: number): number | undefined {
  const { both, joins = '0', verifiable, msg = 'one-key' } = options;
  // What was said before the ghost joined is shown to nobody.
  if (both === 'yes' || joins !== '0') return undefined;
  if (ends === 2) return 1;
  if (verifiable === 'yes' || msg === 'etm-commit') return 0;
  if (pipeline.rung !== 'E7' || msg === 'etm') return 1;
  // The first honest answer does not open on the false chains, and there the authority loses the thread.
  const own = SPEAKERS.filter((member) => member === 0).length;
  return SPEAKERS.indexOf(1) / own;
}
