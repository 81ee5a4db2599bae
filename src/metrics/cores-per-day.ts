import { figure, type Metric } from './_metric.ts';

/** WhatsApp, 2020: about 100 billion messages a day. */
const MESSAGES_PER_DAY = 100e9;
const DAY_NS = 86_400e9;

/**
 * `node`: the CPU that the attack took here. `primitive-bound`: its agreements alone, at what one call
 * of the provider costs: what would be left if nothing else cost anything.
 */
const coresPerDay: Metric = {
  name: 'cores-per-day',
  unit: 'cores',
  direction: 'neither',
  title: 'Cores that decrypt a day of 100 billion messages with the authority’s power',
  derive({ exposure }) {
    const mass = exposure?.attacks.find(({ id }) => id === 'A7');
    if (exposure === undefined || mass === undefined) return [];
    const recovered = mass.past.recovered + mass.future.recovered;
    if (recovered === 0 || mass.cpuNs === 0) return [];
    const { priceOfAll } = exposure;
    const node = figure(coresOf(mass.cpuNs / recovered), { kind: 'node' });
    if (priceOfAll === undefined) return [node];
    const { agreements, agreementNs, messages } = priceOfAll;
    const bound = coresOf((agreements / messages) * agreementNs);
    return [node, figure(bound, { kind: 'primitive-bound' })];
  },
};

function coresOf(nsPerMessage: number): number {
  return (nsPerMessage * MESSAGES_PER_DAY) / DAY_NS;
}

export default coresPerDay;
