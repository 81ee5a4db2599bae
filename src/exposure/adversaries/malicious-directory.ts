import { equalBytes, utf8 } from '../../core/bytes.ts';
import { notMounted, type ActingAdversary } from '../adversary.ts';
import { innerKindOf } from '../frame-profile.ts';
import { interpose } from '../interposition.ts';

/**
 * A8: who notices that the directory answered with other keys. An ordinary client notices what it
 * refuses; one that compares safety numbers with the other end notices keys that are not the same.
 */
const maliciousDirectory: ActingAdversary = {
  kind: 'actor',
  name: 'malicious-directory',
  id: 'A8',
  title: 'Malicious directory',
  gets: 'the directory: it adds keys of its own from the compromise on',
  holds: 'two sessions for each conversation',
  async play(town) {
    const kind = innerKindOf(town.plan.pipeline);
    if (kind === 'clear') {
      return notMounted('no-such-power', 'clients take no keys from a directory');
    }
    if (kind === 'opaque') {
      return notMounted('unsupported', 'its library is not opened with other keys here');
    }
    const stage = await interpose(town.plan);
    let refused = 0;
    let different = 0;
    for (let conversation = 0; conversation < stage.conversations; conversation++) {
      const passed = [0, 1].map((member) => stage.pass(conversation, member, utf8('a message')));
      if (passed.some(({ delivered }) => delivered === undefined)) refused += 1;
      const [shown, real] = stage.identities(conversation);
      if (!equalBytes(shown, real)) different += 1;
    }
    const of = stage.conversations;
    return [
      { label: 'clients=ordinary', rate: 'detection-rate', hits: refused, of, expected: 0 },
      {
        label: 'clients=compare-safety-numbers',
        rate: 'detection-rate',
        hits: different,
        of,
        expected: 1,
      },
    ];
  },
};

export default maliciousDirectory;
