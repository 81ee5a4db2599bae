import { equalBytes } from '../../core/bytes.ts';
import { SeededRandom } from '../../core/random.ts';
import { notMounted, type ActingAdversary, type Played } from '../adversary.ts';
import { canModify, modifiedPipeline } from '../modified-client.ts';
import { conversationsOf, pairs, Stage, type Sent } from '../stage.ts';
import type { Town, TownPlan } from '../town.ts';

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
    const { plan, world } = town;
    if (world.authority === undefined) {
      return notMounted('no-such-power', 'there is nothing to dodge');
    }
    if (plan.pipeline.recovers === 'none') {
      return notMounted('no-such-power', 'its authority recovers nothing, so nothing is dodged');
    }
    if (world.evidence !== 'escrow' && !canModify(plan.pipeline)) {
      return notMounted('unsupported', 'no modified client of this design is built');
    }
    const one = await converse(town, [0]);
    const both = await converse(town, [0, 1]);
    const played = [
      dodged('ends=1', one, [0], expectedOfOne(plan)),
      dodged('ends=2', both, [0, 1], 1),
    ];
    if (plan.pipeline.rung !== 'E7') return played;
    // Only the end that opens a session complies, for both: the other has no field to make otherwise.
    const answering = await converse(town, [1]);
    return [
      ...played,
      dodged('ends=1,counted=both', one, [0, 1], 1),
      dodged('ends=1,end=answers', answering, [1], 0),
    ];
  },
};

export default dodgingClient;

interface Said {
  readonly member: number;
  readonly isDodged: boolean;
}

/** Holds conversations in which some members dodge; what the other end does not get is not dodged. */
async function converse({ plan, world }: Town, dodgers: readonly number[]): Promise<Said[]> {
  const isSilent = world.evidence === 'escrow';
  const pipeline = isSilent ? plan.pipeline : modifiedPipeline(plan.pipeline, { members: dodgers });
  const conversations = conversationsOf(plan);
  const stage = await Stage.open(plan, pairs(conversations), conversations * 2, pipeline);
  const sent: Sent[] = [];
  const isDelivered: boolean[] = [];
  for (let session = 0; session < conversations; session++) {
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
  return sent.map(({ member, text }, at) => {
    const recovered = read.get(at);
    const isRecovered = recovered !== undefined && equalBytes(recovered, text);
    return { member, isDodged: isDelivered[at]! && !isRecovered };
  });
}

/** @param of Whose messages are counted. */
function dodged(
  label: string,
  said: readonly Said[],
  of: readonly number[],
  expected: number | undefined,
): Played {
  const counted = said.filter(({ member }) => of.includes(member));
  const hits = counted.filter(({ isDodged }) => isDodged).length;
  return { label, rate: 'dodge-rate', hits, of: counted.length, expected };
}

/** One dodging end is caught where the receiver makes the field again; two that agree never are. */
function expectedOfOne({ options, pipeline }: TownPlan): number | undefined {
  if (options['both'] === 'yes') return undefined;
  if (options['verifiable'] !== 'yes') return 1;
  // Frames without a field of their own pass, when the one before them was refused or withheld.
  return pipeline.rung === 'E2' && options['repeat'] !== 'every-frame' ? undefined : 0;
}
