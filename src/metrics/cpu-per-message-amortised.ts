import { byRole, steadyCosts } from './_message-costs.ts';
import type { Metric } from './_metric.ts';
import { openingCosts } from './_opening-costs.ts';

/**
 * CPU per message with its share of opening the session and of connecting to the relay.
 *
 * A session is opened by one `publish`, one `initiate` and one `accept`. The call that accepts also
 * opens the message it came with, so it stands in for one `receive`. A user connects once for every
 * `messagesPerConnection` messages that it sends or receives, and where the pipeline has it send over
 * a connection apart it opens that as well. A message is handled by two users; the relay pays its
 * half of the connections of both.
 */
const cpuPerMessageAmortised: Metric = {
  name: 'cpu-per-message-amortised',
  unit: 'ns',
  direction: 'lower',
  title: 'CPU per message with its share of opening the session and connecting',
  derive(input) {
    const steady = steadyCosts(input);
    const opening = openingCosts(input.shards);
    const { messagesPerSession, messagesPerConnection } = input;
    if (steady === undefined || opening === undefined) return [];
    if (messagesPerSession === undefined || messagesPerConnection === undefined) return [];
    const { publish, initiate, accept, connectClient, connectRelay } = opening;
    const connections = opening.connectionsPerUser / messagesPerConnection; // Per user and message.
    const received = accept === 0 ? 0 : steady.receiver; // What accept stands in for.
    const atReceiver = (publish + accept - received) / messagesPerSession;
    return byRole({
      sender: steady.sender + initiate / messagesPerSession + connectClient * connections,
      relay: steady.relay + 2 * connectRelay * connections,
      receiver: steady.receiver + atReceiver + connectClient * connections,
      warrant: steady.warrant,
    });
  },
};

export default cpuPerMessageAmortised;
