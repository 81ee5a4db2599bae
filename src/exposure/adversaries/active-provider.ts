import { equalBytes } from '../../core/bytes.ts';
import { SeededRandom } from '../../core/random.ts';
import { notMounted, type ActingAdversary, type Played } from '../adversary.ts';
import { innerKindOf } from '../frame-profile.ts';
import { interpose, type Interposed } from '../interposition.ts';

/**
 * A1 and A8 together: the provider answers for its directory with keys of its own and sits between the
 * ends of every conversation that opens after the compromise: it reads, seals again and passes on.
 */
const activeProvider: ActingAdversary = {
  kind: 'actor',
  name: 'active-provider',
  id: 'A1+A8',
  title: 'Active provider',
  gets: 'the relay, live, and the directory: it answers with keys of its own',
  holds: 'two sessions for each conversation',
  async play(town) {
    if (innerKindOf(town.plan.pipeline) === 'opaque') {
      return notMounted('unsupported', 'its library is not opened with other keys here');
    }
    const stage = await interpose(town.plan);
    let read = 0;
    let of = 0;
    for (let conversation = 0; conversation < stage.conversations; conversation++) {
      for (const { isRead, isDelivered } of talk(stage, conversation, town.plan.seed)) {
        of += 1;
        if (isRead && isDelivered) read += 1;
      }
    }
    const played: Played[] = [
      { label: 'sessions=new', rate: 'recovered-future', hits: read, of, expected: 1 },
    ];
    return played;
  },
};

export default activeProvider;

const MESSAGES = 8;

/** A short conversation through the provider, which is read and which arrives as it was sent. */
function talk(
  stage: Interposed,
  conversation: number,
  seed: number,
): { readonly isRead: boolean; readonly isDelivered: boolean }[] {
  return Array.from({ length: MESSAGES }, (_, index) => {
    const text = new Uint8Array(24);
    new SeededRandom(seed, conversation, index).fill(text);
    const { read, delivered } = stage.pass(conversation, index < 2 ? 0 : index % 2, text);
    return {
      isRead: read !== undefined && equalBytes(read, text),
      isDelivered: delivered !== undefined && equalBytes(delivered, text),
    };
  });
}
