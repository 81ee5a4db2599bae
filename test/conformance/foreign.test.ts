/**
 * What every pipeline that a library computes must do, found by listing the folder: describe itself
 * and what it is compared with, and deliver what was sent over a good and over a bad network.
 *
 * It takes no seeded randomness and exports no state, so there are no transcripts to compare; lengths
 * and outcomes must repeat all the same. Runs go through the engine with poisoned buffers. A library
 * that is not installed is passed over.
 */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { HarnessError } from '../../src/core/errors.ts';
import { PACKAGE_ROOT } from '../../src/core/paths.ts';
import type { ShardFacts } from '../../src/measure/facts.ts';
import type { Options, OptionSpec, Pipeline } from '../../src/pipelines/_pipeline.ts';
import { formatName, parseName } from '../../src/suite/names.ts';
import type { Workload } from '../../src/workload/workload.ts';
import {
  loadAllPipelines,
  loadForeignPipelines,
  loadProvider,
  loadWorkload,
  optionsOf,
  runHere,
} from './_parts.ts';

const foreigners = await loadForeignPipelines();
const ours = await loadAllPipelines();
const native = await loadProvider('native');

const few = { sessions: 3, usersPerSession: 1 };
const CHAT = await loadWorkload('chat', { ...few, messages: 12 });
const PING_PONG = await loadWorkload('ping-pong', { ...few, messages: 7 });
const ONE_WAY = await loadWorkload('one-way', { ...few, messages: 7 });
/** Enough messages that each of loss, reordering and duplication occurs with this seed. */
const BAD_NETWORK = await loadWorkload('chat', {
  ...few,
  messages: 24,
  network: { loss: 0.05, reorder: 0.1, reorderDepth: 3, duplicate: 0.05, outage: 0 },
});

interface PackageFile {
  readonly version: string;
  readonly license: string;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

async function packageFile(path: string): Promise<PackageFile> {
  return JSON.parse(await readFile(path, 'utf8')) as PackageFile;
}

/** @returns Undefined, and the test is passed over, where the library is not installed. */
async function run(
  context: TestContext,
  pipeline: Pipeline,
  workload: Workload,
  changes: Options = {},
): Promise<ShardFacts | undefined> {
  const options = optionsOf(pipeline, changes);
  try {
    const facts = await runHere(pipeline, native, workload, { options });
    const { recovered, sent } = facts.messages;
    assert.equal(recovered, pipeline.openAuthority === undefined ? 0 : sent);
    return facts;
  } catch (error) {
    if (!(error instanceof HarnessError && error.code === 'UNAVAILABLE')) throw error;
    context.skip(error.message);
    return undefined;
  }
}

/** Nothing went wrong and every message is accounted for. */
function assertDelivered(facts: ShardFacts | undefined, workload: Workload): void {
  if (facts === undefined) return;
  assert.deepEqual(facts.faults.first, []);
  const { sent, delivered, lost, refused } = facts.messages;
  assert.equal(sent, workload.sessions * workload.messages);
  assert.equal(delivered + lost, sent);
  for (const name of Object.keys(refused)) assert.equal(name, 'DUPLICATE');
}

test('there are pipelines of the libraries that messengers run', () => {
  const names = foreigners.map(({ name }) => name);
  for (const name of [
    'triple-ratchet.libsignal',
    'double-ratchet.libolm',
    'sealed-box.hpke-core',
  ]) {
    assert.ok(names.includes(name), name);
  }
});

for (const pipeline of foreigners) {
  const foreign = pipeline.foreign!;
  describe(pipeline.name, () => {
    test('it describes itself, its library and what differs', async () => {
      const [, library] = /^[a-z][a-z0-9-]*\.([a-z][a-z0-9-]*)$/.exec(pipeline.name)!;
      assert.equal(foreign.implementation, library);
      assert.equal(pipeline.rung, 'side');
      assert.ok(pipeline.adds ?? pipeline.removes);
      assert.ok(pipeline.specs.length > 0 && pipeline.caveats.length > 0);
      assert.ok(foreign.differences.length > 0);
      for (const text of [...pipeline.specs, ...pipeline.caveats, ...foreign.differences]) {
        assert.equal(text, text.trim());
        assert.notEqual(text, '');
      }
      const file = findPackageJSON(foreign.package, import.meta.url);
      if (file === undefined) return;
      const installed = await packageFile(file);
      // libolm's package.json names none; its files do.
      if (installed.license !== undefined) assert.equal(foreign.licence, installed.license);
      assert.equal(await foreign.version(), `${foreign.package} ${installed.version}`);
    });

    test('it is compared with a pipeline of ours, named as cells name it', () => {
      const compared = parseName(foreign.comparedWith);
      const partner = ours.find(({ name }) => name === compared.name);
      assert.ok(partner !== undefined, compared.name);
      assert.equal(formatName(compared), foreign.comparedWith);
      for (const [key, value] of Object.entries(compared.options)) {
        const option: OptionSpec = partner.options[key]!;
        assert.ok('min' in option.values || option.values.includes(value), `${key}=${value}`);
        assert.notEqual(value, option.default, `${key}: cells do not name a default`);
      }
      // Where both have an option, the library's default is what its partner is run with.
      for (const [key, option] of Object.entries(pipeline.options)) {
        const partners: string | undefined = compared.options[key] ?? partner.options[key]?.default;
        if (partners !== undefined) assert.equal(option.default, partners, key);
      }
    });

    test('its package is an optional peer of the version that it was tested with', async () => {
      const own = await packageFile(join(PACKAGE_ROOT, 'package.json'));
      const version = own.devDependencies[foreign.package];
      assert.ok(version !== undefined);
      assert.equal(own.peerDependencies[foreign.package]?.replace('^', ''), version);
    });

    test('it delivers every workload, and the relay seals at rest when asked', async (context) => {
      for (const workload of [CHAT, PING_PONG, ONE_WAY]) {
        assertDelivered(await run(context, pipeline, workload), workload);
      }
      assertDelivered(await run(context, pipeline, CHAT, { rest: 'user-day' }), CHAT);
    });

    test('with each of its options it delivers chat', async (context) => {
      for (const [name, { values }] of Object.entries(pipeline.options)) {
        for (const value of 'min' in values ? [] : values) {
          assertDelivered(await run(context, pipeline, CHAT, { [name]: value }), CHAT);
        }
      }
    });

    test('over a bad network it delivers what arrives and refuses what it must', async (context) => {
      const facts = await run(context, pipeline, BAD_NETWORK);
      assertDelivered(facts, BAD_NETWORK);
      if (facts === undefined) return;
      assert.ok(facts.messages.lost > 0);
      const duplicates = facts.messages.refused['DUPLICATE'] ?? 0;
      assert.equal(duplicates > 0, pipeline.replayProtection);
    });

    test('lengths and outcomes repeat, whatever its random numbers are', async (context) => {
      const once = await run(context, pipeline, BAD_NETWORK);
      const again = await run(context, pipeline, BAD_NETWORK);
      assert.equal(again?.digest, once?.digest);
    });
  });
}
