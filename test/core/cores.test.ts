import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  commandOn,
  keepOn,
  loadPlaces,
  parseCoreList,
  pinnableCores,
} from '../../src/core/cores.ts';

test('a list of cores is read as Linux writes it', () => {
  assert.deepEqual(parseCoreList('0'), [0]);
  assert.deepEqual(parseCoreList('0-3,8,10-11'), [0, 1, 2, 3, 8, 10, 11]);
});

test('servers have one core and loads the others, or nobody is kept anywhere', () => {
  assert.deepEqual(loadPlaces([0, 1]), { servers: [1], loads: [0] });
  assert.deepEqual(loadPlaces([2, 3, 5]), { servers: [5], loads: [2, 3] });
  for (const cores of [[], [4]]) assert.deepEqual(loadPlaces(cores), { servers: [], loads: [] });
});

test('a command is kept on cores only where there are any', () => {
  assert.deepEqual(commandOn([], ['node', 'file']), ['node', 'file']);
  assert.deepEqual(commandOn([0, 2], ['node']), ['taskset', '--cpu-list', '0,2', 'node']);
});

test('a process keeps to the cores it is told, and to all without any', (t) => {
  const cores = pinnableCores();
  t.after(() => keepOn(cores));
  keepOn(cores.slice(0, 1));
  assert.deepEqual(pinnableCores(), cores.slice(0, 1));
  keepOn(cores);
  keepOn([]);
  assert.deepEqual(pinnableCores(), cores);
});
