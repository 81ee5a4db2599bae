/** What each adversary recovers, what a warrant opens besides, and what still shows. */

import type { PageSection, SitePage, SiteRun } from '../site/page.ts';
import { verdictText } from '../verdict.ts';
import { attackedCells, attackMap } from './_attack-map.ts';
import { costAgainstExposure } from './_cost-exposure.ts';
import { seizureCurves } from './_seizure-curves.ts';

const exposure: SitePage = {
  name: 'exposure',
  title: 'Exposure',
  place: 70,
  question: 'What does an attacker get when a key, a device or a database leaks?',
  needs: 'There is no run of attacks: sealbench exposure exposure/matrix.',
  build(runs) {
    const attacked = runs.filter(isAttacked);
    if (attacked.length === 0) return undefined;
    const others = runs.filter((run) => !isAttacked(run));
    return {
      findings: attacked.map(({ summary }) => verdictText(summary.judgement)),
      sections: attacked.map((run) => sectionOf(run, others)),
    };
  },
};
export default exposure;

function isAttacked({ manifest }: SiteRun): boolean {
  return manifest.suite.kind === 'exposure';
}

/** @param others Runs that may have the costs of the same pipelines. */
function sectionOf(run: SiteRun, others: readonly SiteRun[]): PageSection {
  const { summary } = run;
  const attacked = attackedCells(run);
  const priced = costAgainstExposure(run, attacked, others);
  const curves = seizureCurves(run, attacked);
  return {
    title: summary.title,
    lead: [summary.scope, ...(priced.parts.length === 0 ? priced.notes : [])],
    parts: [
      ...priced.parts,
      ...attackMap(run, attacked),
      ...curves.parts,
      ...summary.tables.map((table) => ({ kind: 'table' as const, table })),
    ],
    notes: [
      ...(priced.parts.length === 0 ? [] : priced.notes),
      ...(curves.leftOut.length === 0
        ? []
        : [`Around a seizure, for want of room not drawn: ${curves.leftOut.join(', ')}.`]),
      ...summary.analysis,
      ...summary.precision,
    ],
  };
}
