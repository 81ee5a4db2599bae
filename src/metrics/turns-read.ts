import { figure, type Metric } from './_metric.ts';

/** Youden's J (Youden 1950): the share of turns called less the share of others called; 0 is chance. */
const turnsRead: Metric = {
  name: 'turns-read',
  unit: 'share',
  direction: 'lower',
  title: 'How well the relay reads turns of conversations off headers: 1 always, 0 as by chance',
  derive({ exposure }) {
    const turns = exposure?.metadata?.turns;
    if (turns === undefined || turns.turns === 0 || turns.others === 0) return [];
    return [figure(turns.found / turns.turns - turns.falsely / turns.others, { kind: 'headers' })];
  },
};

export default turnsRead;
