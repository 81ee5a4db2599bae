import { figure, type Metric } from './_metric.ts';

/** At saturation. Rates of slots of time rank no two servers: compare CPU per request. */
const requestRate: Metric = {
  name: 'request-rate',
  unit: 'requests/s',
  direction: 'higher',
  title: 'Requests that the relay answered per second, at saturation',
  derive({ relay }) {
    const server = relay?.closedLoop?.server;
    if (server === undefined || server.wallNs <= 0) return [];
    return [figure((server.requests * 1e9) / server.wallNs)];
  },
};

export default requestRate;
