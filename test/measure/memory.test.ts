import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryFacts } from '../../src/measure/facts.ts';
import { peakRssBytes, readMemory } from '../../src/measure/memory.ts';
import { runModule } from './child.ts';

test('without a collector at hand memory is read all the same', () => {
  const facts = memoryFacts.parse(readMemory());
  assert.ok(facts.heapUsedBytes > 0 && facts.rssBytes > 0);
  assert.equal(facts.wasmBytes, 0);
});

test('retained buffers are counted, dropped ones are collected first', () => {
  const facts = runModule(
    `import { peakRssBytes, readMemory } from 'SRC/measure/memory.ts';
    const before = readMemory();
    let kept = Array.from({ length: 64 }, () => new Uint8Array(1 << 20).fill(1));
    const with64 = readMemory();
    kept.length = 16;
    const with16 = readMemory();
    kept = undefined;
    const after = readMemory();
    console.log(JSON.stringify([before, with64, with16, after].map((m) => m.arrayBufferBytes)));`,
    ['--expose-gc'],
  ) as number[];
  const mebibytes = facts.map((bytes) => Math.round((bytes - facts[0]!) / (1 << 20)));
  assert.deepEqual(mebibytes, [0, 64, 16, 0]);
});

test('a peak stays when what made it is gone, and is not passed on to a child', () => {
  const largeBytes = 400 * 2 ** 20;
  new Uint8Array(largeBytes).fill(1);
  assert.ok(peakRssBytes() >= largeBytes);
  const child = runModule(
    `import { peakRssBytes } from 'SRC/measure/memory.ts';
    console.log(peakRssBytes());`,
  ) as number;
  assert.ok(child > 0 && child < largeBytes, `${child} B of a child that has nothing`);
});
