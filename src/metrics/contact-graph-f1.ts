import { figure, type Metric } from './_metric.ts';

/** `relay-log`: from its sender field and the identities in handshakes. `chance`: connections in random order. */
const contactGraphF1: Metric = {
  name: 'contact-graph-f1',
  unit: 'share',
  direction: 'lower',
  title:
    'Edges of the contact graph that the relay’s log gives: harmonic mean of precision and recall',
  derive({ exposure }) {
    const metadata = exposure?.metadata;
    if (metadata === undefined) return [];
    const f1 = ({ real, guessed, right }: typeof metadata.contacts): number =>
      (2 * right) / (real + guessed);
    const { contacts, contactsByChance } = metadata;
    if (contacts.real === 0) return [];
    return [
      figure(f1(contacts), { kind: 'relay-log' }),
      ...(contactsByChance.real === 0 ? [] : [figure(f1(contactsByChance), { kind: 'chance' })]),
    ];
  },
};

export default contactGraphF1;
