/** Every operation, by everyone who computes it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listNames, loadByName } from '../../src/core/discover.ts';
import { HarnessError } from '../../src/core/errors.ts';
import { IMPLEMENTATIONS_DIR, OPERATIONS_DIR, PROVIDERS_DIR } from '../../src/core/paths.ts';
import { SeededRandom } from '../../src/core/random.ts';
import type { Provider } from '../../src/crypto/provider.ts';
import { loadImplementation } from '../../src/primitives/implementations.ts';
import { fold, type Implementation, type Operation } from '../../src/primitives/operation.ts';
import { outputsSum, Turns } from '../../src/primitives/turns.ts';
import nodeModule from '../../src/providers/node.ts';
import { echo, implementationOf } from './_fakes.ts';

const LENGTH = 100;
const names = await listNames(OPERATIONS_DIR);
const implementations = [
  ...(await listNames(PROVIDERS_DIR)),
  ...(await listNames(IMPLEMENTATIONS_DIR)),
];

async function operationOf(name: string): Promise<Operation> {
  return loadByName<Operation>(OPERATIONS_DIR, name, 'primitive');
}

for (const name of names) {
  test(`${name}: published answers, a steady output, and the same from everyone`, async () => {
    const operation = await operationOf(name);
    const bytes = operation.length.fixedBytes ?? LENGTH;
    const sums = new Map<string, number>();
    let proved = 0;
    for (const one of implementations) {
      const implementation = await loadImplementation(one, operation.primitive);
      if (operation.missing(implementation) !== undefined) continue;
      const answers = await operation.prove(implementation);
      if (one !== 'null' && name !== 'random') assert.ok(answers > 0, `${one} proved nothing`);
      proved += 1;
      const prepared = await operation.prepare(implementation, bytes, new SeededRandom(7));
      const turns = new Turns(prepared);
      if (prepared.awaited) await turns.makeAwaited(prepared.calls.length + 1);
      else turns.make(prepared.calls.length + 1);
      await turns.check(`${name} by ${one}`);
      if (prepared.comparable && one !== 'null') sums.set(one, outputsSum(prepared.expected!));
    }
    assert.ok(proved >= 3, `${name} is computed by ${proved} only`);
    assert.equal(new Set(sums.values()).size <= 1, true, JSON.stringify([...sums]));
  });
}

test('what an implementation lacks is said in words, and refused', async () => {
  const webcrypto = await loadImplementation('webcrypto', 'sha256');
  const chacha20 = await operationOf('chacha20');
  assert.match(chacha20.missing(webcrypto)!, /^webcrypto: it has no stream cipher/);
  const libsodium = await loadImplementation('libsodium', 'aes-256-gcm');
  const gcm = await operationOf('aes-256-gcm-seal');
  assert.equal(gcm.missing(libsodium), 'libsodium has no aes-256-gcm');
  await assert.rejects(gcm.prepare(libsodium, 16, new SeededRandom(1)), { code: 'UNSUPPORTED' });
});

test('the same seed gives the same inputs, another seed others', async () => {
  const sha256 = await operationOf('sha256');
  const node = await loadImplementation('node', 'sha256');
  const sum = async (seed: number): Promise<number> =>
    outputsSum((await sha256.prepare(node, LENGTH, new SeededRandom(seed))).expected!);
  assert.equal(await sum(1), await sum(1));
  assert.notEqual(await sum(1), await sum(2));
});

test('inputs take turns, fewer where they are long', async () => {
  const sha256 = await operationOf('sha256');
  const node = await loadImplementation('node', 'sha256');
  const count = async (bytes: number): Promise<number> =>
    (await sha256.prepare(node, bytes, new SeededRandom(1))).calls.length;
  assert.deepEqual([await count(16), await count(65_536), await count(1_000_000)], [32, 2, 2]);
});

/** `node` but for what is given. */
async function nodeBut(changes: (inner: Provider) => Partial<Provider>): Promise<Implementation> {
  const provider = await nodeModule.load();
  return {
    kind: 'provider',
    name: 'planted',
    version: '1',
    provider: { ...provider, ...changes(provider), name: 'planted' },
  };
}

const WRONG: readonly {
  readonly name: string;
  readonly what: string;
  readonly changes: (inner: Provider) => Partial<Provider>;
}[] = [
  {
    name: 'sha256',
    what: 'a hash that is wrong in its last byte',
    changes: (inner) => ({
      sha256(out, data) {
        inner.sha256(out, data);
        out[31]! ^= 1;
      },
    }),
  },
  {
    name: 'x25519',
    what: 'an agreement that writes nothing',
    changes: () => ({ x25519: () => undefined }),
  },
  {
    name: 'x25519-handle',
    what: 'an agreement that is right with bytes and wrong with a handle',
    changes: (inner) => ({
      x25519(out, secret, publicKey) {
        inner.x25519(out, secret, publicKey);
        if (!(secret instanceof Uint8Array)) out.reverse();
      },
    }),
  },
  {
    name: 'ed25519-verify',
    what: 'a verification that accepts everything',
    changes: () => ({ ed25519Verify: () => true }),
  },
  {
    name: 'chacha20-poly1305-open',
    what: 'an opening that refuses everything',
    changes: ({ aead }) => ({
      aead: { ...aead, 'chacha20-poly1305': { ...aead['chacha20-poly1305'], open: () => false } },
    }),
  },
  {
    name: 'ml-kem-768-encapsulate',
    what: 'an encapsulation whose secret is not that of its ciphertext',
    changes: ({ kem }) => ({
      kem: {
        ...kem,
        'ml-kem-768': {
          ...kem['ml-kem-768']!,
          encapsulate(ciphertext, sharedSecret, publicKey, randomness) {
            kem['ml-kem-768']!.encapsulate(ciphertext, sharedSecret, publicKey, randomness);
            sharedSecret[0]! ^= 1;
          },
        },
      },
    }),
  },
];
for (const { name, what, changes } of WRONG) {
  test(`${what} is found before it is timed`, async () => {
    const operation = await operationOf(name);
    await assert.rejects(operation.prove(await nodeBut(changes)), (error) => {
      assert.ok(error instanceof HarnessError, String(error));
      assert.equal(error.code, 'WRONG_RESULT');
      return true;
    });
  });
}

test('what gives another result the second time is found', async () => {
  let calls = 0;
  const unsteady = echo(() => undefined, {
    bind:
      (_, { byte }, out) =>
      () =>
        out.fill(byte + (calls++ > 4 ? 1 : 0)),
  });
  await assert.rejects(unsteady.prepare(await implementationOf('a'), 8, new SeededRandom(1)), {
    code: 'WRONG_RESULT',
    message: /two results/,
  });
});

test('a fold tells outputs apart by their first, middle and last byte', () => {
  const folds = [0, 3, 6].map((at) => fold(new Uint8Array(7).with(at, 1)));
  assert.equal(new Set([...folds, fold(new Uint8Array(7))]).size, 4);
  const bytes = Array.from({ length: 256 }, (_, byte) => fold(Uint8Array.of(byte)));
  assert.equal(new Set(bytes).size, 256);
});
