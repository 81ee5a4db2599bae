/** The social graph: simple, of the degrees asked for, and the same for the same seed. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { drawMembers, usersOfGraph } from '../../src/workload/graph.ts';

function degreesOf(members: Uint32Array, users: number): Uint32Array {
  const degrees = new Uint32Array(users);
  for (const user of members) degrees[user]! += 1;
  return degrees;
}

function weight(k: number): number {
  return k ** -0.8 * Math.exp(-k / 33);
}

test('every graph is simple: nobody talks to themselves, and no pair has two sessions', () => {
  const graphs = fc.record({
    degrees: fc.constant('power-law-with-cutoff' as const),
    exponent: fc.double({ min: 0, max: 4, noNaN: true }),
    cutoff: fc.double({ min: 1, max: 1000, noNaN: true }),
  });
  const property = fc.property(
    graphs,
    fc.integer({ min: 1, max: 300 }),
    fc.double({ min: 0.001, max: 2, noNaN: true }),
    fc.nat(),
    (graph, sessions, usersPerSession, seed) => {
      const users = usersOfGraph(sessions, usersPerSession);
      const members = drawMembers(graph, seed, 0, sessions, users);
      assert.equal(members.length, sessions * 2);
      const pairs = new Set<string>();
      for (let session = 0; session < sessions; session++) {
        const [a, b] = [members[session * 2]!, members[session * 2 + 1]!];
        assert.ok(a !== b && a < users && b < users);
        pairs.add(`${Math.min(a, b)} ${Math.max(a, b)}`);
      }
      assert.equal(pairs.size, sessions);
      assert.deepEqual(drawMembers(graph, seed, 0, sessions, users), members);
    },
  );
  fc.assert(property, { seed: 4, numRuns: 300 });
});

test('degrees have the shape of the messenger graph: all talk, most little, a few a lot', () => {
  const graph = { degrees: 'power-law-with-cutoff', exponent: 0.8, cutoff: 33 } as const;
  const sessions = 100_000;
  const users = usersOfGraph(sessions, 0.14);
  assert.equal(users, 14_000);
  const degrees = degreesOf(drawMembers(graph, 1, 0, sessions, users), users);
  const shareOf = (k: number): number => degrees.filter((degree) => degree === k).length / users;
  let sum = 0;
  for (let k = 1; k <= 400; k++) sum += weight(k);
  assert.ok(degrees.every((degree) => degree >= 1));
  // The ends that are missing to 2 per session are added in proportion, which stretches the tail.
  for (const k of [1, 2, 5, 10]) {
    const ratio = shareOf(k) / (weight(k) / sum);
    assert.ok(ratio > 0.7 && ratio < 1.2, `degree ${k}: ${ratio} times the share expected`);
  }
  const sorted = degrees.sort();
  assert.ok(sorted[users / 2]! < 10, 'the median user talks to few');
  assert.ok(sorted[users - 1]! > 100, 'one user talks to very many');
});
