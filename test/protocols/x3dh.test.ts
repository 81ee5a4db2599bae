/** X3DH with every provider: both ends agree, and a plain second implementation agrees with both. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { fromHex } from '../../src/core/bytes.ts';
import { RefusedError, type Provider } from '../../src/crypto/provider.ts';
import { X3dh } from '../../src/protocols/x3dh.ts';
import { X25519_LOW_ORDER } from '../vectors/x25519.ts';
import { modelPublic, modelX3dhInitiator } from './_model.ts';
import { loadProviders } from './_providers.ts';

const providers = await loadProviders();

const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
const secrets = fc.record({
  identityA: key,
  ephemeralA: key,
  identityB: key,
  signedPrekeyB: key,
  oneTimeB: fc.option(key, { nil: undefined }),
  kemSecret: fc.option(key, { nil: undefined }),
});
type Secrets = typeof secrets extends fc.Arbitrary<infer T> ? T : never;

const EXAMPLE: Secrets = {
  identityA: new Uint8Array(32).fill(1),
  ephemeralA: new Uint8Array(32).fill(2),
  identityB: new Uint8Array(32).fill(3),
  signedPrekeyB: new Uint8Array(32).fill(4),
  oneTimeB: new Uint8Array(32).fill(5),
  kemSecret: undefined,
};

function initiate(provider: Provider, given: Secrets, x3dh = new X3dh(provider)): Uint8Array {
  const out = new Uint8Array(32);
  x3dh.initiate(out, {
    identity: provider.x25519Handle(given.identityA),
    ephemeralSecret: given.ephemeralA,
    theirIdentity: modelPublic(given.identityB),
    theirSignedPrekey: modelPublic(given.signedPrekeyB),
    theirOneTimePrekey: given.oneTimeB && modelPublic(given.oneTimeB),
    ...(given.kemSecret && { kemSecret: given.kemSecret }),
  });
  return out;
}

function respond(provider: Provider, given: Secrets, x3dh = new X3dh(provider)): Uint8Array {
  const out = new Uint8Array(32);
  x3dh.respond(out, {
    identity: provider.x25519Handle(given.identityB),
    signedPrekey: provider.x25519Handle(given.signedPrekeyB),
    oneTimeSecret: given.oneTimeB,
    theirIdentity: modelPublic(given.identityA),
    theirEphemeral: modelPublic(given.ephemeralA),
    ...(given.kemSecret && { kemSecret: given.kemSecret }),
  });
  return out;
}

function model(given: Secrets): Uint8Array {
  return modelX3dhInitiator({
    identity: given.identityA,
    ephemeral: given.ephemeralA,
    theirIdentity: modelPublic(given.identityB),
    theirSignedPrekey: modelPublic(given.signedPrekeyB),
    ...(given.oneTimeB && { theirOneTimePrekey: modelPublic(given.oneTimeB) }),
    ...(given.kemSecret && { kemSecret: given.kemSecret }),
  });
}

for (const provider of providers) {
  describe(`x3dh with ${provider.name}`, () => {
    test('both ends derive the secret of the model, with and without a one-time prekey', () => {
      const property = fc.property(secrets, (given) => {
        const expected = model(given);
        assert.deepEqual(initiate(provider, given), expected);
        assert.deepEqual(respond(provider, given), expected);
      });
      fc.assert(property, { seed: 1, numRuns: provider.name === 'noble' ? 6 : 30 });
    });

    test('nothing of one agreement is left in the next', () => {
      const x3dh = new X3dh(provider);
      const { oneTimeB: _, ...rest } = EXAMPLE;
      const without: Secrets = { ...rest, oneTimeB: undefined };
      initiate(provider, EXAMPLE, x3dh);
      respond(provider, { ...EXAMPLE, kemSecret: new Uint8Array(32).fill(6) }, x3dh);
      assert.deepEqual(initiate(provider, without, x3dh), model(without));
      assert.deepEqual(respond(provider, without, x3dh), model(without));
    });

    test('each of the keys changes the secret', () => {
      const expected = initiate(provider, EXAMPLE);
      for (const name of [
        'identityA',
        'ephemeralA',
        'identityB',
        'signedPrekeyB',
        'oneTimeB',
      ] as const) {
        const other = { ...EXAMPLE, [name]: new Uint8Array(32).fill(0x77) };
        assert.notDeepEqual(initiate(provider, other), expected, name);
      }
    });

    test('a low-order key in any place is refused', () => {
      const x3dh = new X3dh(provider);
      const out = new Uint8Array(32);
      const good = modelPublic(EXAMPLE.identityB);
      for (const { name, point } of X25519_LOW_ORDER) {
        const bad = fromHex(point);
        for (const place of ['theirIdentity', 'theirSignedPrekey', 'theirOneTimePrekey'] as const) {
          const keys = {
            identity: provider.x25519Handle(EXAMPLE.identityA),
            ephemeralSecret: EXAMPLE.ephemeralA,
            theirIdentity: good,
            theirSignedPrekey: good,
            theirOneTimePrekey: good,
            [place]: bad,
          };
          const what = `${name} as ${place} of the initiator`;
          assert.throws(() => x3dh.initiate(out, keys), RefusedError, what);
        }
        for (const place of ['theirIdentity', 'theirEphemeral'] as const) {
          const keys = {
            identity: provider.x25519Handle(EXAMPLE.identityB),
            signedPrekey: provider.x25519Handle(EXAMPLE.signedPrekeyB),
            oneTimeSecret: EXAMPLE.oneTimeB,
            theirIdentity: good,
            theirEphemeral: good,
            [place]: bad,
          };
          const what = `${name} as ${place} of the responder`;
          assert.throws(() => x3dh.respond(out, keys), RefusedError, what);
        }
      }
      assert.deepEqual(initiate(provider, EXAMPLE, x3dh), model(EXAMPLE), 'and the next one works');
    });
  });
}
