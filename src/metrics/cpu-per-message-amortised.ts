import { byRole, steadyCosts } from './_message-costs.ts';
import type { Metric } from './_metric.ts';
import { openingCosts } from './_opening-costs.ts';

/**
 * CPU per message with its share of opening the session and of connecting to the relay.
 *
 * A session is opened by one `publish`, one `initiate` and one `accept`. The call that accepts also
 * opens the message it came with, so it stands in for one `receive`. A message crosses two
 * connections, its sender's and its receiver's, each of which carries `messagesPerConnection`; the
 * relay pays its half of both.
 */
const cpuPerMessageAmortised: Metric = {
  name: 'cpu-per-message-amortised',
  unit: 'ns',
  direction: 'lower',
  title: 'CPU per message with its share of opening the session and connecting',
  derive(input) {
    const steady = steadyCosts(input);
    const opening = openingCosts(input.shards);
    if (steady === undefined || opening === undefined) return [];
    const { messagesPerSession, messagesPerConnection } = input;
    const { publish, initiate, accept, connectClient, connectRelay } = opening;
    const received = accept === 0 ? 0 : steady.receiver; // What accept stands in for.
    const atReceiver = (publish + accept - received) / messagesPerSession;
    return byRole({
      sender: steady.sender + initiate / messagesPerSession + connectClient / messagesPerConnection,
      relay: steady.relay + (2 * connectRelay) / messagesPerConnection,
      receiver: steady.receiver + atReceiver + connectClient / messagesPerConnection,
      recovery: steady.recovery,
    });
  },
};

export default cpuPerMessageAmortised;
