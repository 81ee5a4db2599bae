import { figure, type Metric } from './_metric.ts';

/** The largest resident set of the repeat's process: Node, libraries and all that sessions keep. */
const peakRss: Metric = {
  name: 'peak-rss',
  unit: 'B',
  direction: 'lower',
  title: 'Peak resident set of the process',
  derive({ process }) {
    return process === undefined ? [] : [figure(process.rssPeakBytes)];
  },
};

export default peakRss;
