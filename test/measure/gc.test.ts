import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GcPauses } from '../../src/measure/gc.ts';
import { runModule } from './child.ts';

test('the collections between start and stop are counted, and no others', () => {
  const [idle, busy] = runModule(
    `import { GcPauses } from 'SRC/measure/gc.ts';
    const pauses = new GcPauses();
    // Keeps the collections before the start on their way to whoever observes.
    const other = new GcPauses();
    other.start();
    for (let i = 0; i < 30; i++) gc();
    pauses.start();
    const idle = await pauses.stop();
    pauses.start();
    for (let i = 0; i < 10; i++) gc();
    const stopped = pauses.stop();
    for (let i = 0; i < 30; i++) gc();
    const busy = await stopped;
    await other.stop();
    console.log(JSON.stringify([idle, busy]));`,
    ['--expose-gc'],
  ) as { count: number; pauseNs: number }[];
  assert.ok(idle!.count < 10, `${idle!.count} while idle`);
  assert.ok(busy!.count >= 10 && busy!.count < 30, `${busy!.count} while busy`);
  assert.ok(busy!.pauseNs > idle!.pauseNs);
});

test('starting twice and stopping without a start are errors', async () => {
  const pauses = new GcPauses();
  await assert.rejects(pauses.stop(), /is not started/);
  pauses.start();
  assert.throws(() => pauses.start(), /is started already/);
  await pauses.stop();
});
