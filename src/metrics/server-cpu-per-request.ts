import { figure, type Metric } from './_metric.ts';

/**
 * CPU of the server's whole process, with its collector and its store. `message`: of what one message
 * takes, its append and its share of a fetch and of an acknowledgement.
 */
const serverCpuPerRequest: Metric = {
  name: 'server-cpu-per-request',
  unit: 'ns',
  direction: 'lower',
  title: 'CPU of the relay per request, at saturation',
  derive({ relay }) {
    const loop = relay?.closedLoop;
    if (loop === undefined || loop.server.requests === 0) return [];
    const perRequestNs = loop.server.cpuNs / loop.server.requests;
    return [
      figure(perRequestNs, { role: 'relay' }),
      figure(perRequestNs * loop.requestsPerMessage, { role: 'relay', kind: 'message' }),
    ];
  },
};

export default serverCpuPerRequest;
