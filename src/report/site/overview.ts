/**
 * The first page: what each of the others found, and the runs that they are made from.
 *
 * @module
 */

import { verdictText } from '../verdict.ts';
import { markup, type Html } from './html.ts';
import type { PageContent, SitePage, SiteRun } from './page.ts';
import { sitewise } from './quantities.ts';

export interface BuiltPage {
  readonly page: SitePage;
  /** Undefined for a page without data. */
  readonly content: PageContent | undefined;
}

export function renderOverview(pages: readonly BuiltPage[], runs: readonly SiteRun[]): Html {
  const filled = pages.filter(({ content }) => content !== undefined);
  const empty = pages.filter(({ content }) => content === undefined);
  return markup`<ul class="overview">
      ${filled.map(
        ({ page, content }) =>
          markup`<li>
            <h2><a href="${page.name}.html">${page.title}</a></h2>
            <p class="asks">${page.question}</p>
            ${content!.findings[0] !== undefined && markup`<p>${sitewise(content!.findings[0])}</p>`}
          </li> `,
      )}
    </ul>
    ${empty.length > 0 && markup`<p class="small">Without data in these runs: ${empty.map(({ page }, index) => markup`${index > 0 && ', '}<a href="${page.name}.html">${page.title}</a>`)}.</p>`}
    <section>
      <h2 id="runs">The runs</h2>
      <div class="scroll" tabindex="0" role="group" aria-labelledby="runs">
        <table>
          <thead>
            <tr>
              <th scope="col">run</th>
              <th scope="col">suite</th>
              <th scope="col">started</th>
              <th scope="col">verdict</th>
            </tr>
          </thead>
          <tbody>
            ${runs.map(
              (run) =>
                markup`<tr>
                  <th scope="row">${run.name}</th>
                  <td class="wide">${run.manifest.suite.title}</td>
                  <td class="nw">${run.manifest.startedAt.slice(0, 10)}</td>
                  <td class="wide">
                    ${verdictText(run.summary.judgement).replace('Verdict: ', '')}
                  </td>
                </tr> `,
            )}
          </tbody>
        </table>
      </div>
    </section> `;
}
