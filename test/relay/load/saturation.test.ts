import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idleFault } from '../../../src/relay/load/saturation.ts';

test('with frames in memory CPU says whether a relay was at saturation, with a disk its event loop', () => {
  const waiting = { cpuNs: 0.4e9, loopActiveNs: 0.95e9, wallNs: 1e9 };
  assert.match(
    idleFault(waiting, 'memory')!,
    /busy for 40\.0 % of the time only \(CPU of its process\)/,
  );
  assert.equal(idleFault(waiting, 'sqlite-full'), undefined);
  assert.equal(idleFault(waiting, 'sqlite-normal'), undefined);
  const idle = { cpuNs: 0.95e9, loopActiveNs: 0.899e9, wallNs: 1e9 };
  assert.equal(idleFault(idle, 'memory'), undefined);
  assert.match(
    idleFault(idle, 'sqlite-full')!,
    /busy for 89\.9 % of the time only \(its event loop\)/,
  );
});
