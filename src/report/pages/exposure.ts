/** What each adversary recovers, what a warrant opens besides, and what still shows. */

import { verdictText } from '../verdict.ts';
import type { SitePage } from '../site/page.ts';

const exposure: SitePage = {
  name: 'exposure',
  title: 'Exposure',
  place: 60,
  question: 'What does an attacker get when a key, a device or a database leaks?',
  needs: 'There is no run of attacks: sealbench exposure exposure/matrix.',
  build(runs) {
    const attacked = runs.filter(({ manifest }) => manifest.suite.kind === 'exposure');
    if (attacked.length === 0) return undefined;
    return {
      findings: attacked.map(({ summary }) => verdictText(summary.judgement)),
      sections: attacked.map(({ summary }) => ({
        title: summary.title,
        lead: [summary.scope],
        parts: summary.tables.map((table) => ({ kind: 'table' as const, table })),
        notes: [...summary.analysis, ...summary.precision],
      })),
    };
  },
};
export default exposure;
