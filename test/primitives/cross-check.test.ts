/** Ours against another tool, on clocks that move only when a call is made. */

import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { test } from 'node:test';
import { crossCheckFacts } from '../../src/measure/operation-facts.ts';
import { crossCheck } from '../../src/primitives/cross-check.ts';
import type { OpenTool, Tool } from '../../src/primitives/tool.ts';
import mitata from '../../src/primitives/tools/mitata.ts';
import openssl, { callsPerSecond } from '../../src/primitives/tools/openssl.ts';
import tinybench from '../../src/primitives/tools/tinybench.ts';
import { loadImplementation } from '../../src/primitives/implementations.ts';
import { echo, fakeClocks, implementationOf, type FakeTime } from './_fakes.ts';

const SPEC = { bytes: 8, seed: 1, purpose: 'measure', warmupMs: 1, timedMs: 5 } as const;

/** A tool that makes ten calls and says what it is told to say. */
function toolOf(changes: Partial<OpenTool> = {}, told: string[] = []): Tool {
  return {
    name: 'fake',
    title: 'a tool',
    rounds: 2,
    compared: 'batches',
    open: async () => ({
      version: '9',
      async measure(one) {
        told.push('theirs');
        for (let call = 0; call < 10; call++) one();
        return {
          valueNs: 12_000,
          statistic: 'what it was told',
          samples: 10,
          callsPerSample: 1,
          onThisThread: true,
        };
      },
      ...changes,
    }),
  };
}

test('ours is the cost of a call by batches and by latency, theirs is what the tool says', async () => {
  const time: FakeTime = { nowNs: 0, cpuNs: 0 };
  const operation = echo(() => {
    time.nowNs += 10_000;
    time.cpuNs += 9_000;
  });
  const implementation = await implementationOf('a');
  const clocks = fakeClocks(time);
  const facts = await crossCheck(SPEC, operation, implementation, toolOf(), clocks);
  crossCheckFacts.parse(JSON.parse(JSON.stringify(facts)));
  assert.deepEqual([facts.tool, facts.toolVersion, facts.rounds.length], ['fake', '9', 2]);
  for (const { ours, theirs } of facts.rounds) {
    const { callsPerBatch, wallNs, cpuNs } = ours.batches;
    // The first power of two that lasts a millisecond.
    assert.equal(callsPerBatch, 128);
    assert.deepEqual(new Set(wallNs.map(Math.round)), new Set([128 * 10_000]));
    assert.deepEqual(new Set(cpuNs.map(Math.round)), new Set([128 * 9_000]));
    assert.equal(theirs.valueNs, 12_000);
  }
});

test('the two take turns in ABBA order, and the seed says who is first', async () => {
  const orders = new Set<string>();
  for (let seed = 0; seed < 8; seed++) {
    const time: FakeTime = { nowNs: 0, cpuNs: 0 };
    const told: string[] = [];
    let isTheirs = false;
    const operation = echo(() => {
      time.nowNs += 100_000;
      if (!isTheirs && told.at(-1) !== 'ours') told.push('ours');
    });
    const tool = toolOf({
      async measure() {
        isTheirs = true;
        told.push('theirs');
        isTheirs = false;
        return {
          valueNs: 1,
          statistic: '',
          samples: 1,
          callsPerSample: 1,
          onThisThread: true,
        };
      },
    });
    const implementation = await implementationOf('a');
    const clocks = fakeClocks(time);
    const { oursFirst } = await crossCheck(
      { ...SPEC, seed },
      operation,
      implementation,
      tool,
      clocks,
    );
    // The first stretch of ours is preparing, warm-up and sizing, with what follows of ours.
    const order = told.join(' ');
    assert.equal(order, oursFirst ? 'ours theirs theirs ours' : 'ours theirs ours theirs');
    orders.add(order);
  }
  assert.equal(orders.size, 2);
});

test('what the operation is made of is measured beside it', async () => {
  const time: FakeTime = { nowNs: 0, cpuNs: 0 };
  const operation = echo(() => {
    time.nowNs += 50_000;
    time.cpuNs += 50_000;
  });
  const parts = {
    half: () => {
      time.nowNs += 25_000;
      time.cpuNs += 25_000;
    },
  };
  const facts = await crossCheck(
    SPEC,
    operation,
    await implementationOf('a'),
    toolOf({ parts }),
    fakeClocks(time),
  );
  const { callsPerBatch, cpuNs } = facts.rounds[1]!.parts['half']!;
  assert.equal(Math.round(cpuNs[0]! / callsPerBatch), 25_000);
});

test('a wrong result under the hand of a tool is found', async () => {
  const time: FakeTime = { nowNs: 0, cpuNs: 0 };
  let isTheirs = false;
  const operation = echo(() => (time.nowNs += 100_000), {
    bind:
      (_, { byte }, out) =>
      () => {
        time.nowNs += 100_000;
        return out.fill(isTheirs ? byte ^ 1 : byte);
      },
  });
  const tool = toolOf({
    async measure(one) {
      isTheirs = true;
      one();
      isTheirs = false;
      return {
        valueNs: 1,
        statistic: '',
        samples: 1,
        callsPerSample: null,
        onThisThread: false,
      };
    },
  });
  const implementation = await implementationOf('a');
  await assert.rejects(crossCheck(SPEC, operation, implementation, tool, fakeClocks(time)), {
    code: 'WRONG_RESULT',
  });
});

test('what is awaited is not cross-checked', async () => {
  const webcrypto = await loadImplementation('webcrypto', 'sha256');
  const time: FakeTime = { nowNs: 0, cpuNs: 0 };
  await assert.rejects(crossCheck(SPEC, echo(), webcrypto, toolOf(), fakeClocks(time)), {
    code: 'UNSUPPORTED',
  });
});

test('openssl speed is read by its machine-readable line', () => {
  const printed = '+DTP:253::ecdh:1\n+R7:28933:253:0.98\n+F5:22:253:29523.469388:0.000034\n';
  assert.equal(callsPerSecond(printed), 29523.469388);
  for (const other of ['', 'version: 3.0\n', '+F5:22:253:0:0\n', '+F5:22\n']) {
    assert.throws(() => callsPerSecond(other), { code: 'UNAVAILABLE' });
  }
});

test('without openssl the pair is unavailable, and says how to get it', async () => {
  const node = await loadImplementation('node', 'x25519');
  const path = process.env['PATH'];
  process.env['PATH'] = '/nowhere';
  try {
    const operation = echo(undefined, { name: 'x25519-handle' });
    await assert.rejects(openssl.open(operation, node), {
      code: 'UNAVAILABLE',
      message: /openssl is not on the PATH; install it/,
    });
  } finally {
    process.env['PATH'] = path;
  }
  await assert.rejects(openssl.open(echo(), node), { code: 'UNSUPPORTED' });
});

test('without mitata the pair is unavailable, and says how to get it', async () => {
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== 'mitata') return next(specifier, context);
      throw new Error("Cannot find package 'mitata'");
    },
  });
  try {
    await assert.rejects(mitata.open(echo(), await implementationOf('a')), {
      code: 'UNAVAILABLE',
      message: /mitata does not load: Cannot find.*npm install --save-dev mitata@1\.0\.34/,
    });
  } finally {
    hooks.deregister();
  }
});

test('each tool on this thread calls the function and states a positive figure', async () => {
  for (const tool of [tinybench, mitata]) {
    let calls = 0;
    const { version, measure } = await tool.open(echo(), await implementationOf('a'));
    assert.match(version, /^\d+\.\d+\.\d+$/);
    const reading = await measure(() => {
      calls += 1;
    }, 16);
    assert.ok(reading.valueNs > 0 && calls >= reading.samples, tool.name);
    assert.equal(reading.onThisThread, true);
  }
});
