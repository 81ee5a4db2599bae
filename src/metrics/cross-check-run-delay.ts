import { figure, type Metric } from './_metric.ts';

/**
 * Of the side that waited more, where it can be read: a repeat in which one waited says little. CPU
 * leaves waiting out, so what is compared by it has no such figure.
 */
const crossCheckRunDelay: Metric = {
  name: 'cross-check-run-delay',
  unit: 'share',
  direction: 'neither',
  title: 'Share of time in which a side of a cross-check waited for a core',
  derive({ crossCheck: facts }) {
    if (facts === undefined) return [];
    const shares = facts.rounds.flatMap(({ ours, theirs }) =>
      (theirs.compared === 'cpu' ? [] : [ours, theirs]).flatMap(({ runDelayNs, wallNs }) =>
        runDelayNs < 0 || wallNs <= 0 ? [] : [runDelayNs / wallNs],
      ),
    );
    return shares.length === 0 ? [] : [figure(Math.max(...shares))];
  },
};

export default crossCheckRunDelay;
