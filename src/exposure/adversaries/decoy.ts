import { equalBytes, utf8 } from '../../core/bytes.ts';
import { SeededRandom } from '../../core/random.ts';
import { notMounted, type ActingAdversary, type Played } from '../adversary.ts';
import { canModify, DECOY_AT, DECOY_MESSAGE_BYTES, modifiedPipeline } from '../modified-client.ts';
import { pairs, Stage, type Sent } from '../stage.ts';
import type { Town } from '../town.ts';

const CONVERSATIONS = 4;
const SPEAKERS = [0, 1, 0, 0, 1];
const DECOY = utf8('happy birthday!!');

/**
 * A12: a sender whose message opens to another text under the key that it escrows. Commitment is what
 * AEADs do not have: Dodis et al., CRYPTO 2018; Len et al., USENIX Security 2021.
 */
const decoy: ActingAdversary = {
  kind: 'actor',
  name: 'decoy',
  id: 'A12',
  title: 'Decoy for the authority',
  gets: 'its own client at one end, or at both',
  holds: 'a few conversations',
  async play(town) {
    if (town.world.authority === undefined || town.plan.pipeline.recovers === 'none') {
      return notMounted('no-such-power', 'no authority reads anything that could be a decoy');
    }
    if (!canModify(town.plan.pipeline)) {
      return notMounted('unsupported', 'no modified client of this design is built');
    }
    return [await show(town, [0]), await show(town, [0, 1])];
  },
};

export default decoy;

async function show({ plan }: Town, members: readonly number[]): Promise<Played> {
  const { options } = plan;
  const msg = options['msg'] ?? 'one-key';
  // Two ends that agree also agree on the commitment of the decoy's key.
  const falseCommitment = msg === 'etm-commit' && members.length === 2;
  const pipeline = modifiedPipeline(plan.pipeline, { members, decoy: DECOY, falseCommitment });
  const stage = await Stage.open(plan, pairs(CONVERSATIONS), CONVERSATIONS * 2, pipeline);
  const sent: Sent[] = [];
  const arrived: (Uint8Array | undefined)[] = [];
  for (let session = 0; session < CONVERSATIONS; session++) {
    const isOpen = [true, false];
    for (const [index, member] of SPEAKERS.entries()) {
      if (!isOpen[member]!) continue;
      const text = new Uint8Array(DECOY_MESSAGE_BYTES);
      new SeededRandom(plan.seed, session, index).fill(text);
      const one = stage.send(session, member, text);
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
  const isCaught = options['verifiable'] === 'yes' || msg === 'etm-commit';
  const expected = members.length === 1 && isCaught ? 0 : 1;
  return {
    label: `ends=${members.length}`,
    rate: 'decoy-rate',
    hits,
    of,
    expected: options['both'] === 'yes' ? undefined : expected,
  };
}
