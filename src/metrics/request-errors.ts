import { figure, type Metric } from './_metric.ts';

/** A repeat with one of them is an error, so that in a row that has a figure they are 0. */
const requestErrors: Metric = {
  name: 'request-errors',
  unit: 'requests',
  direction: 'neither',
  title: 'Requests without an answer, or with a wrong one, at saturation',
  derive({ relay }) {
    const errors = relay?.closedLoop?.errors;
    if (errors === undefined) return [];
    return Object.entries(errors).map(([kind, count]) => figure(count, { kind }));
  },
};

export default requestErrors;
