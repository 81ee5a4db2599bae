import { equalBytes } from '../../core/bytes.ts';
import { SeededRandom } from '../../core/random.ts';
import { notMounted, type ActingAdversary, type Played } from '../adversary.ts';
import { canModify, modifiedPipeline } from '../modified-client.ts';
import { pairs, Stage, type Sent } from '../stage.ts';
import type { Town, TownPlan } from '../town.ts';

/** Conversations of each town in which ends run modified clients. */
const CONVERSATIONS = 4;
/** Who speaks: each end begins chains and goes on with them. */
const SPEAKERS = [0, 0, 1, 1, 0, 1, 0, 0, 1, 1];

/**
 * A10: a client that seals another key for the authority than the one that it uses, or, where the
 * authority has a mailbox of its own, sends nothing there; at one end or at both.
 */
const dodgingClient: ActingAdversary = {
  kind: 'actor',
  name: 'dodging-client',
  id: 'A10',
  title: 'Modified client that dodges',
  gets: 'its own client at one end, or at both',
  holds: 'a few conversations',
  async play(town) {
    const { pipeline } = town.plan;
    if (town.world.authority === undefined) {
      return notMounted('no-such-power', 'there is nothing to dodge');
    }
    if (pipeline.recovers === 'none') {
      return notMounted('no-such-power', 'its authority recovers nothing, so nothing is dodged');
    }
    const isSilent = town.world.evidence === 'escrow';
    if (!isSilent && !canModify(pipeline)) {
      return notMounted('unsupported', 'no modified client of this design is built');
    }
    return [await dodge(town, [0], isSilent), await dodge(town, [0, 1], isSilent)];
  },
};

export default dodgingClient;

async function dodge(
  { plan }: Town,
  dodgers: readonly number[],
  isSilent: boolean,
): Promise<Played> {
  const pipeline = isSilent ? plan.pipeline : modifiedPipeline(plan.pipeline, { members: dodgers });
  const stage = await Stage.open(plan, pairs(CONVERSATIONS), CONVERSATIONS * 2, pipeline);
  const sent: Sent[] = [];
  const isDelivered: boolean[] = [];
  for (let session = 0; session < CONVERSATIONS; session++) {
    const isOpen = [true, false];
    for (const [index, member] of SPEAKERS.entries()) {
      if (!isOpen[member]!) continue; // Refused before: there is no session at that end.
      const text = new Uint8Array(24);
      new SeededRandom(plan.seed, session, index).fill(text);
      const one = stage.send(session, member, text);
      const received = stage.receive(session, 1 - member, one.frame);
      const arrived = typeof received !== 'number' && equalBytes(received, text);
      if (arrived) isOpen[1 - member] = true;
      sent.push(isSilent && dodgers.includes(member) ? { ...one, copy: undefined } : one);
      isDelivered.push(arrived);
    }
  }
  const read = stage.readAll(sent);
  let hits = 0;
  let of = 0;
  for (const [at, { member, text }] of sent.entries()) {
    if (!dodgers.includes(member)) continue;
    of += 1;
    const recovered = read.get(at);
    const isRecovered = recovered !== undefined && equalBytes(recovered, text);
    if (isDelivered[at]! && !isRecovered) hits += 1;
  }
  const label = `ends=${dodgers.length}`;
  return { label, rate: 'dodge-rate', hits, of, expected: expectedRate(plan, dodgers.length) };
}

/** One dodging end is caught where the receiver makes the field again; two that agree never are. */
function expectedRate({ options, pipeline }: TownPlan, ends: number): number | undefined {
  if (ends === 2) return 1;
  if (options['both'] === 'yes') return undefined;
  if (options['verifiable'] !== 'yes') return 1;
  // Frames without a field of their own pass, when the one before them was refused or withheld.
  return pipeline.rung === 'E2' && options['repeat'] !== 'every-frame' ? undefined : 0;
}
