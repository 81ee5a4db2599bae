import { figure, type Metric } from './_metric.ts';
import { samplesOf, timedOperation } from './_operation.ts';

/** What of a sample is the reading of the clock that every sample holds. */
const primitiveTimerShare: Metric = {
  name: 'primitive-timer-share',
  unit: 'share',
  direction: 'neither',
  title: 'Share of a sample that is the reading of the clock in it',
  derive(input) {
    const timed = timedOperation(input);
    const sampleNs = timed && samplesOf(timed).valueAtPercentile(50);
    return sampleNs === undefined ? [] : [figure(timed!.timerOverheadNs / sampleNs)];
  },
};

export default primitiveTimerShare;
