/** Where session records are kept changes what a call costs and nothing else. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Provider } from '../../src/crypto/provider.ts';
import { openSessionRecords, PERSIST_OPTION } from '../../src/pipelines/_session-records.ts';
import {
  ISOLATED,
  loadAllPipelines,
  loadProvider,
  loadWorkload,
  optionsOf,
  runHere,
} from '../conformance/_parts.ts';
import { transcribe } from '../conformance/_transcript.ts';

const [native, noble] = await Promise.all(['native', 'noble'].map(loadProvider));

/** ML-KEM that takes its randomness from outside, so that bytes can be compared; the rest is fast. */
const provider: Provider = { ...native!, kem: noble!.kem };

const persisting = (await loadAllPipelines()).filter(
  (pipeline) => pipeline.options['persist'] !== undefined,
);

const WORKLOAD = await loadWorkload('chat', {
  sessions: 3,
  usersPerSession: 1,
  messages: 24,
  network: { loss: 0.05, reorder: 0.1, reorderDepth: 3, duplicate: 0.05 },
});

/** Short epochs, where a pipeline has them. */
const OPTIONS = { ...ISOLATED, rekey: '5' };

describe('persist=record', () => {
  test('is an option of the pipelines that foreign libraries are compared with', () => {
    const names = persisting.map(({ name }) => name);
    for (const name of ['double-ratchet', 'pqxdh-ratchet', 'pq-rekey']) {
      assert.ok(names.includes(name), name);
    }
    assert.deepEqual(PERSIST_OPTION.values, ['packed', 'record']);
  });

  for (const pipeline of persisting) {
    test(`${pipeline.name} puts out the same bytes as with persist=packed`, async () => {
      const all = [];
      for (const persist of ['packed', 'record']) {
        const { pipeline: witnessed, lines } = transcribe(pipeline);
        const options = optionsOf(pipeline, { ...OPTIONS, persist });
        const facts = await runHere(witnessed, provider, WORKLOAD, { options });
        assert.deepEqual(facts.faults.first, []);
        assert.ok(facts.messages.delivered > 0);
        all.push(lines);
      }
      assert.deepEqual(all[1], all[0]);
    });
  }
});

for (const persist of ['packed', 'record']) {
  describe(`session records with persist=${persist}`, () => {
    test('are zero before the first store, whatever was loaded before', () => {
      const records = openSessionRecords({ persist }, 8, 3);
      const words = Uint32Array.of(1, 2);
      records.store(0, words);
      records.load(2, words);
      assert.deepEqual([...words], [0, 0]);
    });

    test('are copies: neither what was stored nor what was loaded leads back to them', () => {
      const records = openSessionRecords({ persist }, 8, 3);
      const words = Uint32Array.of(1, 2);
      records.store(1, words);
      words.fill(9);
      const loaded = new Uint32Array(2);
      records.load(1, loaded);
      assert.deepEqual([...loaded], [1, 2]);
      loaded.fill(8);
      const again = new Uint32Array(2);
      records.load(1, again);
      assert.deepEqual([...again], [1, 2]);
      assert.deepEqual([...records.read(1)], [1, 0, 0, 0, 2, 0, 0, 0]);
    });

    test('can be stored from and loaded into a part of a larger buffer', () => {
      const records = openSessionRecords({ persist }, 8, 3);
      const buffer = new Uint32Array(6);
      const part = buffer.subarray(2, 4);
      part.set([3, 4]);
      records.store(0, part);
      buffer.fill(7);
      records.load(0, part);
      assert.deepEqual([...buffer], [7, 7, 3, 4, 7, 7]);
    });

    test('belong to one end each', () => {
      const records = openSessionRecords({ persist }, 8, 3);
      for (const end of [0, 1, 2]) records.store(end, Uint32Array.of(end, end + 10));
      const loaded = new Uint32Array(2);
      for (const end of [0, 1, 2]) {
        records.load(end, loaded);
        assert.deepEqual([...loaded], [end, end + 10]);
      }
    });
  });
}

test('with persist=record each store makes a new record, and the one before stays as it was', () => {
  const records = openSessionRecords({ persist: 'record' }, 4, 1);
  records.store(0, Uint32Array.of(1));
  const before = records.read(0);
  records.store(0, Uint32Array.of(2));
  assert.deepEqual([...before], [1, 0, 0, 0]);
  assert.notEqual(records.read(0).buffer, before.buffer);
});
