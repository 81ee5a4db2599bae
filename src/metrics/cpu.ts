import { TIMED } from '../measure/facts.ts';
import { cpuIsReadable, cpuPerCall, EVERY_BLOCK } from './_batches.ts';
import { figure, type Figure, type Metric } from './_metric.ts';

/** CPU of one call of each stage; the relay's two halves are kinds of one stage. */
const cpu: Metric = {
  name: 'cpu',
  unit: 'ns',
  direction: 'lower',
  title: 'CPU per operation',
  derive({ shards }) {
    if (!cpuIsReadable(shards)) return [];
    const figures: Figure[] = [];
    for (const { id, stage, role } of TIMED) {
      const value = cpuPerCall(shards, id, EVERY_BLOCK);
      if (value === undefined) continue;
      const kind = stage === 'relay' ? id.slice('relay-'.length) : '';
      figures.push(figure(value, { stage, role, kind }));
    }
    return figures;
  },
};

export default cpu;
