import type { ReadingAdversary } from '../adversary.ts';
import { evidenceOf } from '../evidence.ts';
import { readAsText } from '../layers.ts';
import { isFuture, isReadable, massMount, nobody } from './_everyone.ts';

/** A1: the memory of the relay from the compromise on, its own hops and seals opened. */
const liveRelay: ReadingAdversary = {
  kind: 'reader',
  name: 'live-relay',
  id: 'A1',
  title: 'Relay, live',
  gets: 'what passes through the relay’s memory from the compromise on',
  holds: 'one frame at a time',
  attack: (_facts, { frames }) => readAsText([...frames].sort(copiesFirst)),
  mounts(town) {
    const { recording, plan } = town;
    const evidence = evidenceOf(recording, 'none', { step: plan.seizedAfter });
    // Uploads of a backup pass in the clear, like the messages of readable rungs.
    const isRead = isReadable(town) || plan.pipeline.rung === 'C7';
    return [massMount('', evidence, {}, isRead ? isFuture(town) : nobody)];
  },
};

export default liveRelay;

/** What a message has besides its frame is tried as its text first. */
function copiesFirst(a: { readonly kind: string }, b: { readonly kind: string }): number {
  return Number(a.kind === 'message') - Number(b.kind === 'message');
}
