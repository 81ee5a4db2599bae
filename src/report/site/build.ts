/**
 * Runs to a site: a folder of files that opens from disk, with no server and no network.
 *
 * @module
 */

import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { listNames, loadByName } from '../../core/discover.ts';
import { badInput } from '../../core/errors.ts';
import { PAGES_DIR, SITE_ASSETS_DIR } from '../../core/paths.ts';
import { chartRowsToCsv, chartRowsToJson } from './chart-rows.ts';
import { ChartMaker } from './chart.ts';
import { FONT_WEIGHTS, webFont } from './font.ts';
import { markup, type Html } from './html.ts';
import type { ChartPart, Facets, PageContent, SitePage, SiteRun } from './page.ts';
import { drawingOf, inlineSvg, Painter, standaloneSvg } from './picture.ts';
import { renderContent, type DrawnChart } from './render.ts';
import { renderOverview } from './overview.ts';
import { renderShell } from './shell.ts';
import { sourceOf } from './source.ts';

/** A site of more is no overview. */
const RUNS_MAX = 60;

export interface BuiltSite {
  readonly pages: readonly { readonly name: string; readonly hasData: boolean }[];
  readonly charts: number;
  readonly files: number;
  readonly bytes: number;
  /** By gzip, file by file, as servers send them. */
  readonly compressedBytes: number;
}

const OVERVIEW = {
  name: 'index',
  title: 'What protection costs',
  question:
    'What each protection of a message costs, who pays, and how far the figures can be trusted.',
};

/** Every page, in the order of the navigation. */
export async function loadPages(): Promise<SitePage[]> {
  const names = await listNames(PAGES_DIR);
  const pages = await Promise.all(
    names.map((name) => loadByName<SitePage>(PAGES_DIR, name, 'page')),
  );
  return pages.sort((a, b) => a.place - b.place || (a.name < b.name ? -1 : 1));
}

/**
 * @param folder Exists; its files of the same names are replaced.
 * @throws HarnessError BAD_INPUT where a chart would be fed too much.
 */
export async function buildSite(runs: readonly SiteRun[], folder: string): Promise<BuiltSite> {
  if (runs.length > RUNS_MAX) {
    throw badInput(`report: expected at most ${RUNS_MAX} runs at once, got ${runs.length}`);
  }
  const pages = (await loadPages()).map((page) => ({ page, content: page.build(runs) }));
  const writer = new SiteWriter(folder);
  await writer.addAssets();
  const charts = pages.flatMap(({ content }) => chartsOf(content));
  const drawn = await drawAll(charts, sourceOf(runs), writer);
  const script = await readFile(join(SITE_ASSETS_DIR, 'site.js'), 'utf8');
  const scriptDigest = createHash('sha256').update(script).digest('base64');
  const navigation = pages.map(({ page, content }) => ({
    name: page.name,
    title: page.title,
    hasData: content !== undefined,
  }));
  const around = { pages: navigation, source: sourceOf(runs), script, scriptDigest };
  await writer.add(
    'index.html',
    renderShell({ ...around, ...OVERVIEW, content: renderOverview(pages, runs), facets: [] }),
  );
  for (const { page, content } of pages) {
    const rendered = content === undefined ? emptyContent(page) : renderContent(content, drawn);
    const text = renderShell({ ...around, ...page, content: rendered, facets: facetsOf(content) });
    await writer.add(`${page.name}.html`, text);
  }
  return {
    pages: navigation,
    charts: charts.length,
    files: writer.files,
    bytes: writer.bytes,
    compressedBytes: writer.compressedBytes,
  };
}

function chartsOf(content: PageContent | undefined): ChartPart[] {
  const parts = content?.sections.flatMap((section) => section.parts) ?? [];
  return parts.filter((part) => part.kind === 'chart');
}

function facetsOf(content: PageContent | undefined): Facets[] {
  const parts = content?.sections.flatMap((section) => section.parts) ?? [];
  return parts.flatMap((part): readonly Facets[] => {
    if (part.kind === 'matrix') return part.lines.map((line) => line.facets);
    if (part.kind === 'chart') return part.rows.map((row) => row as unknown as Facets);
    return [];
  });
}

/** A page without data says so, and what would have to be run. */
function emptyContent({ needs }: SitePage): Html {
  return markup`<section class="no-data">
    <h2>No data</h2>
    <p>${needs}</p>
  </section>`;
}

async function drawAll(
  charts: readonly ChartPart[],
  source: string,
  writer: SiteWriter,
): Promise<Map<string, DrawnChart>> {
  const drawn = new Map<string, DrawnChart>();
  if (charts.length === 0) return drawn;
  const maker = await ChartMaker.create();
  const painter = await Painter.create(maker.fonts);
  try {
    for (const part of charts) {
      if (drawn.has(part.id)) throw new TypeError(`"id" expected a new one, got ${part.id}`);
      const inline: Record<'light' | 'dark', string> = { light: '', dark: '' };
      for (const theme of ['light', 'dark'] as const) {
        const drawing = drawingOf(await maker.draw(part, theme));
        const caption = { ...part, source };
        inline[theme] = inlineSvg(drawing, { ...caption, id: `${part.id}-${theme}` });
        const alone = standaloneSvg(drawing, caption, theme, maker.fonts);
        await writer.add(`charts/${part.id}.${theme === 'dark' ? 'dark.' : ''}svg`, alone);
        if (theme === 'light') await writer.add(`charts/${part.id}.png`, painter.paint(alone));
      }
      const spec = await maker.specOf(part, 'light');
      await writer.add(`charts/${part.id}.vl.json`, `${JSON.stringify(spec)}\n`);
      await writer.add(`charts/${part.id}.csv`, chartRowsToCsv(part.rows));
      await writer.add(`charts/${part.id}.json`, chartRowsToJson(part.rows));
      drawn.set(part.id, inline);
    }
  } finally {
    await painter.close();
  }
  return drawn;
}

/** Writes files below one folder and adds up what they weigh. */
class SiteWriter {
  readonly #folder: string;
  files = 0;
  bytes = 0;
  compressedBytes = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async add(name: string, content: string | Uint8Array): Promise<void> {
    const file = join(this.#folder, name);
    await mkdir(join(file, '..'), { recursive: true });
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    await writeFile(file, bytes);
    this.files += 1;
    this.bytes += bytes.length;
    this.compressedBytes += Math.min(bytes.length, gzipSync(bytes).length);
  }

  async addAssets(): Promise<void> {
    for (const name of ['site.css', 'icon.svg']) {
      await this.add(`assets/${name}`, await readFile(join(SITE_ASSETS_DIR, name)));
    }
    for (const weight of FONT_WEIGHTS) {
      await this.add(`assets/inter-${weight}.woff2`, await webFont(weight));
    }
  }
}
