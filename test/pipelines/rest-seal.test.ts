/** The relay's seal at rest: a row opens in its own mailbox only, and no nonce comes twice. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { toHex, utf8 } from '../../src/core/bytes.ts';
import type { Aead } from '../../src/crypto/provider.ts';
import { seededRandomness } from '../../src/crypto/randomness.ts';
import { OUTCOME, type WrappedKeys } from '../../src/pipelines/_pipeline.ts';
import { REST_BYTES, RestSeal } from '../../src/pipelines/_rest-seal.ts';
import { loadProvider } from '../conformance/_parts.ts';
import { mount } from '../scenarios/_mounted-world.ts';

const node = await loadProvider('node');

const DAY_MS = 86_400_000;
const SCOPES = ['segment', 'user-day'] as const;
const KEK = new Uint8Array(32).fill(7);

function sealed(rest: RestSeal, owner: number, atMs: number, text: string): Uint8Array {
  const plaintext = utf8(text);
  const out = new Uint8Array(plaintext.length + REST_BYTES);
  assert.equal(rest.seal(owner, atMs, plaintext, out), out.length);
  return out;
}

function opened(rest: RestSeal, owner: number, stored: Uint8Array): string | undefined {
  const content = rest.open(owner, stored);
  return content === undefined ? undefined : new TextDecoder().decode(content);
}

for (const scope of SCOPES) {
  describe(`sealed at rest by ${scope}`, () => {
    test('a row that is moved to another mailbox does not open there', () => {
      const rest = new RestSeal(node.aead['chacha20-poly1305'], seededRandomness(1), KEK, scope);
      const rows = [0, 1, 2].map((owner) => sealed(rest, owner, 0, `mail of user ${owner}`));
      for (const owner of [0, 1, 2]) {
        for (const [from, row] of rows.entries()) {
          const expected = from === owner ? `mail of user ${owner}` : undefined;
          assert.equal(opened(rest, owner, row), expected, `row of ${from} in ${owner}'s mailbox`);
        }
      }
    });

    test('a row that is said to be of another day or segment does not open', () => {
      const rest = new RestSeal(node.aead['chacha20-poly1305'], seededRandomness(1), KEK, scope);
      const row = sealed(rest, 0, 0, 'of the first day');
      sealed(rest, 0, DAY_MS, 'of the second day');
      const moved = row.slice();
      moved[3] = 1;
      assert.equal(opened(rest, 0, moved), undefined);
      assert.equal(opened(rest, 0, row), 'of the first day');
    });

    test('the relay refuses to deliver or hand over rows that were swapped in its store', async () => {
      const sessions = [
        [0, 1],
        [0, 2],
      ] as const;
      const world = await mount('at-rest', { sessions, options: { hop: 'none', rest: scope } });
      const posts = [0, 1].map((session) => world.post(session, 0, `for user ${session + 1}`));
      const out = new Uint8Array(256);
      for (const [i, { stored }] of posts.entries()) {
        const wrong = 2 - i;
        assert.equal(world.relay.deliver(wrong, stored, 0, out), OUTCOME.AUTH_FAILED);
        assert.equal(world.relay.handOver(wrong, stored, out), OUTCOME.AUTH_FAILED);
        assert.ok(world.relay.deliver(i + 1, stored, 0, out) > 0);
      }
    });
  });
}

/** Copies, and remembers under which key and nonce it sealed. */
class RecordingAead implements Aead {
  readonly pairs = new Set<string>();
  seals = 0;

  seal(
    out: Uint8Array,
    key: Uint8Array,
    nonce: Uint8Array,
    _aad: Uint8Array,
    plaintext: Uint8Array,
  ): void {
    this.seals += 1;
    this.pairs.add(`${toHex(key)} ${toHex(nonce)}`);
    out.set(plaintext);
  }

  open(
    out: Uint8Array,
    _key: Uint8Array,
    _nonce: Uint8Array,
    _aad: Uint8Array,
    ciphertext: Uint8Array,
  ): boolean {
    out.set(ciphertext.subarray(0, out.length));
    return true;
  }
}

/** More than the 65,536 data keys that are kept unwrapped. */
const USERS = 65_600;

test('a data key that left the cache comes back as it was, and goes on with its nonces', () => {
  const aead = new RecordingAead();
  const rest = new RestSeal(aead, seededRandomness(1), KEK, 'user-day');
  const plaintext = new Uint8Array(1);
  const out = new Uint8Array(1 + REST_BYTES);
  // The first user's key is used most, falls out, comes back, and falls out again.
  for (let round = 0; round < 2; round++) {
    for (let times = 0; times < 3; times++) rest.seal(0, 0, plaintext, out);
    for (let user = 1; user < USERS; user++) rest.seal(user, 0, plaintext, out);
  }
  rest.seal(0, 0, plaintext, out);
  assert.equal(rest.wrappings, USERS, 'a key that is back is no new key');
  assert.ok(rest.unwrappings > USERS, 'the cache is smaller than the number of keys');
  assert.equal(aead.seals, 2 * (USERS + 2) + 1 + rest.wrappings);
  assert.equal(aead.pairs.size, aead.seals, 'no key sealed twice with one nonce');
  // What the last row of the first user says is its seventh number, in the nonce's last four bytes.
  assert.deepEqual([...out.subarray(4, 16)], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6]);
});

test('a key that came back by opening an old row goes on with its nonces too', () => {
  const aead = new RecordingAead();
  const rest = new RestSeal(aead, seededRandomness(1), KEK, 'user-day');
  const row = sealed(rest, 0, 0, 'old');
  const out = new Uint8Array(1 + REST_BYTES);
  for (let user = 1; user < USERS; user++) rest.seal(user, 0, new Uint8Array(1), out);
  const before = rest.unwrappings;
  assert.equal(opened(rest, 0, row), 'old');
  assert.equal(rest.unwrappings, before + 1);
  rest.seal(0, 0, new Uint8Array(1), out);
  assert.equal(aead.pairs.size, aead.seals);
});

/** A store that outlives its relays: keys stay, and each relay gets an epoch of its own. */
function shelf(epoch: number, keys: Map<number, Uint8Array>): WrappedKeys {
  return {
    epoch,
    get: (id) => keys.get(id),
    set: (id, wrapped) => void keys.set(id, wrapped.slice()),
  };
}

for (const scope of SCOPES) {
  test(`${scope}: a relay that is built again opens what was sealed, and repeats no nonce`, () => {
    const aead = new RecordingAead();
    const keys = new Map<number, Uint8Array>();
    for (let epoch = 1; epoch <= 3; epoch++) {
      const rest = new RestSeal(aead, seededRandomness(epoch), KEK, scope, shelf(epoch, keys));
      for (let i = 0; i < 5; i++) sealed(rest, 0, 0, `${epoch} ${i}`);
    }
    assert.equal(aead.pairs.size, aead.seals, 'no key sealed twice with one nonce');

    const real = node.aead['chacha20-poly1305'];
    const kept = new Map<number, Uint8Array>();
    const first = new RestSeal(real, seededRandomness(1), KEK, scope, shelf(1, kept));
    const row = sealed(first, 4, 0, 'before the restart');
    const second = new RestSeal(real, seededRandomness(2), KEK, scope, shelf(2, kept));
    assert.equal(opened(second, 4, row), 'before the restart');
    const other = new RestSeal(real, seededRandomness(2), KEK, scope, shelf(2, new Map()));
    assert.equal(opened(other, 4, row), undefined, 'without its wrapped key');
  });
}
