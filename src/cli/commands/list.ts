/** `list`: what there is to run, with what, and which libraries load here. */

import { badInput, HarnessError } from '../../core/errors.ts';
import { listNames, loadByName } from '../../core/discover.ts';
import { quoted } from '../../core/json.ts';
import { hint } from '../../core/nearest.ts';
import {
  IMPLEMENTATIONS_DIR,
  METRICS_DIR,
  OPERATIONS_DIR,
  PROVIDERS_DIR,
} from '../../core/paths.ts';
import type { PrimitiveName, PrimitiveSource, ProviderModule } from '../../crypto/provider.ts';
import type { Metric } from '../../metrics/_metric.ts';
import type { ForeignLibrary, OptionSpec, Pipeline } from '../../pipelines/_pipeline.ts';
import type { ImplementationModule, Operation } from '../../primitives/operation.ts';
import { loadPipelines } from '../../runner/pipelines-info.ts';
import { listKnownNames, listSuites, listWorkloads, loadWorkload } from '../../suite/parse.ts';
import { defineCommand, EXIT, type Command } from '../command.ts';
import { planNamed } from '../planning.ts';
import { textTable } from '../table.ts';

interface Section {
  /** What `--json` prints. */
  readonly data: unknown;
  readonly text: string;
}

const SECTIONS: Readonly<Record<string, () => Promise<Section>>> = {
  suites: describeSuites,
  pipelines: describePipelines,
  providers: describeProviders,
  primitives: describePrimitives,
  workloads: describeWorkloads,
  metrics: describeMetrics,
};

const list: Command = defineCommand({
  name: 'list',
  summary: 'List suites, pipelines, providers, primitives, workloads and metrics',
  details:
    'Loads every provider and library, to tell whether it works here and what computes its primitives.',
  positionals: {
    what: { placeholder: 'WHAT', summary: Object.keys(SECTIONS).join(', '), default: 'all' },
  },
  options: { json: { kind: 'flag', summary: 'print it as JSON' } },
  examples: ['list', 'list providers', 'list pipelines --json'],
  async run({ positionals: { what }, options, output }) {
    const known = Object.keys(SECTIONS);
    if (what !== 'all' && !known.includes(what)) {
      throw badInput(`list: unknown kind ${quoted(what)}; ${hint(what, known)}`);
    }
    const data: Record<string, unknown> = {};
    const texts: string[] = [];
    for (const [name, describe] of Object.entries(SECTIONS)) {
      if (what !== 'all' && what !== name) continue;
      const section = await describe();
      data[name] = section.data;
      texts.push(`${name}\n\n${section.text}`);
    }
    output.print(options.json ? `${JSON.stringify(data, undefined, 2)}\n` : texts.join('\n'));
    return EXIT.fine;
  },
});
export default list;

interface SuiteDescription {
  readonly name: string;
  readonly title?: string;
  readonly question?: string;
  readonly cells?: number;
  /** Why it cannot be planned. */
  readonly reason?: string;
}

async function describeSuites(): Promise<Section> {
  const suites: SuiteDescription[] = [];
  for (const name of await listSuites()) {
    try {
      const { loaded, plan } = await planNamed(name, { budget: 'quick', seed: 0 });
      const { title, question } = loaded.suite;
      suites.push({ name, title, question, cells: plan.cells.length });
    } catch (error) {
      if (!(error instanceof HarnessError)) throw error;
      suites.push({ name, reason: error.message });
    }
  }
  return {
    data: suites,
    text: textTable(
      '',
      ['name', 'cells', 'question'],
      suites.map(({ name, cells = '-', question, reason }) => [
        name,
        String(cells),
        question ?? reason ?? '',
      ]),
    ),
  };
}

async function describePipelines(): Promise<Section> {
  const { pipelines: names } = await listKnownNames();
  const pipelines = [...(await loadPipelines(names)).values()].sort(byPlace);
  const libraries = new Map<Pipeline, LibraryDescription>();
  for (const pipeline of pipelines) {
    if (pipeline.foreign === undefined) continue;
    libraries.set(pipeline, await describeLibrary(pipeline.foreign));
  }
  return {
    data: pipelines.map((pipeline) => {
      const { name, title, family, rung, adds, removes, specs, caveats } = pipeline;
      const { options, replayProtection, skipLimit } = pipeline;
      return {
        name,
        title,
        family,
        rung,
        adds,
        removes,
        specs,
        caveats,
        options,
        replayProtection,
        // JSON has no infinity: null means any order.
        skipLimit: Number.isFinite(skipLimit) ? skipLimit : null,
        foreign: libraries.get(pipeline),
      };
    }),
    text: [
      textTable(
        '',
        ['rung', 'name', 'family', 'title', 'options, the default first'],
        pipelines.map(({ rung, name, family, title, options }) => [
          rung,
          name,
          family,
          title,
          Object.entries(options).map(describeOption).join(' '),
        ]),
      ),
      '\ncomputed by libraries that are installed besides\n\n',
      textTable(
        '',
        ['name', 'version', 'licence', 'compared with', 'how to get it'],
        [...libraries].map(([{ name }, { version, licence, comparedWith, reason }]) => [
          name,
          version ?? 'unavailable',
          licence,
          comparedWith,
          reason ?? '',
        ]),
      ),
    ].join(''),
  };
}

interface LibraryDescription extends Omit<ForeignLibrary, 'version'> {
  /** Absent where it does not load; then there is a reason. */
  readonly version?: string;
  readonly reason?: string;
}

async function describeLibrary(foreign: ForeignLibrary): Promise<LibraryDescription> {
  const { version, ...described } = foreign;
  try {
    return { ...described, version: await version() };
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    return { ...described, reason: error.message };
  }
}

const FAMILIES = ['plaintext-relay', 'ratchet', 'escrow-wrapped'];

/** L0 to L11 across the families, then the rest; a side rung comes after the ladder. */
function byPlace(a: Pipeline, b: Pipeline): number {
  return placeOf(a) - placeOf(b) || (a.rung < b.rung ? -1 : a.rung > b.rung ? 1 : 0);
}

function placeOf({ rung, family }: Pipeline): number {
  const number = Number(/^L(\d+)$/.exec(rung)?.[1] ?? '1000');
  return number * FAMILIES.length + FAMILIES.indexOf(family);
}

function describeOption([key, { values, default: byDefault }]: [string, OptionSpec]): string {
  if ('min' in values) return `${key}=${byDefault} (${values.min} to ${values.max})`;
  return `${key}=${[byDefault, ...values.filter((value) => value !== byDefault)].join('|')}`;
}

interface ProviderDescription {
  readonly name: string;
  readonly title: string;
  readonly licence: string;
  readonly caveats: readonly string[];
  /** Absent where it does not load; then there is a reason. */
  readonly version?: string;
  readonly primitives?: Readonly<Record<string, PrimitiveSource>>;
  readonly reason?: string;
}

async function describeProviders(): Promise<Section> {
  const providers: ProviderDescription[] = [];
  for (const name of await listNames(PROVIDERS_DIR)) providers.push(await describeProvider(name));
  const loaded = providers.filter(({ primitives }) => primitives !== undefined);
  const primitives = Object.keys(loaded[0]?.primitives ?? {});
  return {
    data: providers,
    text: [
      textTable(
        '',
        ['name', 'version', 'what it is'],
        providers.map(({ name, version, title, reason }) => [
          name,
          version ?? 'unavailable',
          reason === undefined ? title : reason,
        ]),
      ),
      '\nprimitives: the library itself, composed by us over its SHA-256 or HMAC, assembled by us from ML-KEM-768 and X25519, or who computes instead\n\n',
      textTable(
        '',
        ['', ...loaded.map(({ name }) => name)],
        primitives.map((primitive) =>
          [primitive].concat(loaded.map((provider) => provider.primitives![primitive] ?? 'none')),
        ),
      ),
    ].join(''),
  };
}

/** What some providers load for pipelines that need it alone. */
const ON_DEMAND: readonly PrimitiveName[] = ['ristretto255'];

async function describeProvider(name: string): Promise<ProviderDescription> {
  const provider = await loadByName<ProviderModule>(PROVIDERS_DIR, name, 'provider');
  const { title, licence, caveats } = provider;
  const described = { name, title, licence, caveats };
  try {
    const { version, sources } = await provider.load(ON_DEMAND);
    return { ...described, version, primitives: sources };
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    return { ...described, reason: error.message };
  }
}

/** Operations of primitives, which suites of them name; and who computes them besides providers. */
async function describePrimitives(): Promise<Section> {
  const operations: Operation[] = [];
  for (const name of await listNames(OPERATIONS_DIR)) {
    operations.push(await loadByName<Operation>(OPERATIONS_DIR, name, 'primitive'));
  }
  const implementations: ImplementationModule[] = [];
  for (const name of await listNames(IMPLEMENTATIONS_DIR)) {
    implementations.push(
      await loadByName<ImplementationModule>(IMPLEMENTATIONS_DIR, name, 'implementation'),
    );
  }
  return {
    data: {
      operations: operations.map(({ name, title, length }) => ({ name, title, length })),
      implementations: implementations.map(({ name, title, licence, caveats }) => ({
        name,
        title,
        licence,
        caveats,
      })),
    },
    text: [
      textTable(
        '',
        ['name', 'length', 'what one call does'],
        operations.map(({ name, title, length: { of, fixedBytes } }) => [
          name,
          fixedBytes === undefined ? `of ${of}` : `${fixedBytes} B ${of}`,
          title,
        ]),
      ),
      '\nby every provider, and by\n\n',
      textTable(
        '',
        ['name', 'what it is'],
        implementations.map(({ name, title }) => [name, title]),
      ),
    ].join(''),
  };
}

async function describeWorkloads(): Promise<Section> {
  const workloads = [];
  for (const name of await listWorkloads()) workloads.push((await loadWorkload(name)).workload);
  return {
    data: workloads,
    text: textTable(
      '',
      ['name', 'sessions', 'messages each', 'title'],
      workloads.map(({ name, sessions, messages, title }) => [
        name,
        String(sessions),
        String(messages),
        title,
      ]),
    ),
  };
}

async function describeMetrics(): Promise<Section> {
  const metrics: Omit<Metric, 'derive'>[] = [];
  for (const name of await listNames(METRICS_DIR)) {
    const { unit, direction, title } = await loadByName<Metric>(METRICS_DIR, name, 'metric');
    metrics.push({ name, unit, direction, title });
  }
  return {
    data: metrics,
    text: textTable(
      '',
      ['name', 'unit', 'better', 'title'],
      metrics.map(({ name, unit, direction, title }) => [
        name,
        unit,
        direction === 'neither' ? '-' : direction,
        title,
      ]),
    ),
  };
}
