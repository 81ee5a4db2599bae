import { figure, type Metric } from './_metric.ts';

/** `cpu`: of one core, by all threads of the process. `loop`: of the time, by its event loop. */
const serverBusyShare: Metric = {
  name: 'server-busy-share',
  unit: 'share',
  direction: 'neither',
  title: 'Share of the time in which the relay was busy, at saturation',
  derive({ relay }) {
    const server = relay?.closedLoop?.server;
    if (server === undefined || server.wallNs <= 0) return [];
    return [
      figure(server.cpuNs / server.wallNs, { kind: 'cpu' }),
      figure(server.loopActiveNs / server.wallNs, { kind: 'loop' }),
    ];
  },
};

export default serverBusyShare;
