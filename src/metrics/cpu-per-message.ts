import { byRole, steadyCosts } from './_message-costs.ts';
import type { Metric } from './_metric.ts';

/** CPU to send, relay and receive one message of an open session. */
const cpuPerMessage: Metric = {
  name: 'cpu-per-message',
  unit: 'ns',
  direction: 'lower',
  title: 'CPU per message, steady state',
  derive(input) {
    const costs = steadyCosts(input);
    return costs === undefined ? [] : byRole(costs);
  },
};

export default cpuPerMessage;
