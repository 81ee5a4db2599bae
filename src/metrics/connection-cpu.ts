import { leastSquaresSlope } from '../stats/slope.ts';
import { figure, type Figure, type Metric } from './_metric.ts';

/**
 * What a connection costs and what a message on it: intercept and slope of CPU per connection over the
 * messages that it carried. `at-N`: CPU per message, its share of the connection in it, at N messages.
 */
const connectionCpu: Metric = {
  name: 'connection-cpu',
  unit: 'ns',
  direction: 'lower',
  title: 'CPU of a connection and of a message on it',
  derive({ relay }) {
    const facts = relay?.connections;
    if (facts === undefined) return [];
    const { messagesPerConnection, connections, serverCpuNs, clientCpuNs } = facts;
    return (
      [
        ['relay', serverCpuNs],
        ['sender', clientCpuNs],
      ] as const
    ).flatMap(([role, cpuNs]): Figure[] => {
      const perConnection = cpuNs.map((ns, point) => ns / connections[point]!);
      const line = leastSquaresSlope(messagesPerConnection, perConnection);
      const points = messagesPerConnection.map((messages, point) =>
        figure(perConnection[point]! / messages, { role, kind: `at-${messages}` }),
      );
      if (line === undefined) return points;
      return [
        figure(line.intercept, { role, kind: 'connection' }),
        figure(line.slope, { role, kind: 'message' }),
        ...points,
      ];
    });
  },
};

export default connectionCpu;
