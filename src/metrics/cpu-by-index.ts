import type { TimedId } from '../measure/facts.ts';
import { cpuIsReadable, messageNumber, sumBatches, sumMessages } from './_batches.ts';
import { figure, type Figure, type Metric } from './_metric.ts';

/** Enough to see an opening and its decay; 40 is the length of a session of `chat`. */
const MESSAGE_NUMBERS = [1, 2, 3, 10, 40];

const CARRYING: readonly TimedId[] = ['send', 'relay-store', 'relay-fetch', 'accept', 'receive'];

/** CPU of the n-th message of a session, counted from 1, in all that carry it. */
const cpuByIndex: Metric = {
  name: 'cpu-by-index',
  unit: 'ns',
  direction: 'lower',
  title: 'CPU of the 1st, 2nd, 3rd, 10th and 40th message of a session',
  derive({ shards }) {
    if (!cpuIsReadable(shards)) return [];
    const figures: Figure[] = [];
    for (const number of MESSAGE_NUMBERS) {
      const counts = messageNumber(number);
      const messages = sumMessages(shards, counts);
      if (messages === 0) continue;
      let cpuNs = 0;
      for (const id of CARRYING) cpuNs += sumBatches(shards, id, counts).cpuNs;
      figures.push(figure(cpuNs / messages, { role: 'all', kind: String(number) }));
    }
    return figures;
  },
};

export default cpuByIndex;
