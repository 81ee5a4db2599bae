import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countPrimitives } from '../../src/crypto/counting.ts';
import { hkdfExpand } from '../../src/crypto/hkdf.ts';
import { RefusedError, type Provider } from '../../src/crypto/provider.ts';
import libsodium from '../../src/providers/libsodium.ts';
import native from '../../src/providers/native.ts';
import node from '../../src/providers/node.ts';
import { callsOf, type Arguments } from '../conformance/_primitive-calls.ts';

const nativeProvider = await native.load(['ristretto255']);

/** What `use` asked of `inner`, as an object. */
function counted(inner: Provider, use: (provider: Provider) => void): Record<string, number> {
  const { provider, counts } = countPrimitives(inner);
  use(provider);
  return Object.fromEntries(counts);
}

const key = new Uint8Array(32).fill(1);
const out = new Uint8Array(32);

test('a composed HMAC is counted as itself and as the two hashes it asks the library for', () => {
  const counts = counted(nativeProvider, (provider) => {
    provider.hmacSha256(out, key, new Uint8Array(1));
  });
  assert.deepEqual(counts, { 'hmac-sha256:1': 1, 'sha256:65': 1, 'sha256:96': 1 });
});

test('a composed HKDF is counted as itself, as its HMACs and as their hashes', () => {
  const counts = counted(nativeProvider, (provider) => {
    provider.hkdfSha256(new Uint8Array(64), key, key, new Uint8Array(10));
  });
  assert.deepEqual(counts, {
    'hkdf-sha256:64': 1,
    'hmac-sha256:32': 1, // Extract.
    'hmac-sha256:11': 1, // info || 1
    'hmac-sha256:43': 1, // T(1) || info || 2
    'sha256:96': 4, // The inner hash of Extract, and three outer ones.
    'sha256:75': 1,
    'sha256:107': 1,
  });
});

test('a composed HKDF over a library HMAC is counted down to the HMACs', async () => {
  const counts = counted(await libsodium.load(), (provider) => {
    provider.hkdfSha256(out, key, key, new Uint8Array(0));
  });
  assert.deepEqual(counts, { 'hkdf-sha256:32': 1, 'hmac-sha256:32': 1, 'hmac-sha256:1': 1 });
});

test('what a library computes in one call is counted once', async () => {
  const counts = counted(await node.load(), (provider) => {
    provider.hkdfSha256(out, key, key, new Uint8Array(0));
    provider.hmacSha256(out, key, new Uint8Array(7));
    hkdfExpand(provider, out, key, new Uint8Array(3));
  });
  assert.deepEqual(counts, { 'hkdf-sha256:32': 1, 'hmac-sha256:7': 1, 'hmac-sha256:4': 1 });
});

test('every call is counted under its name and lengths', () => {
  const { provider, counts } = countPrimitives(nativeProvider);
  const calls = callsOf(provider, 1);
  counts.clear();
  for (const call of calls) call.run(withOutputs(call.inputs, call.outputs));
  for (const name of [
    'random:48',
    'sha256:77',
    'hmac-sha256:77',
    'hkdf-sha256:75',
    'x25519-base',
    'x25519',
    'x25519-import',
    'x25519-handle',
    'ed25519-base',
    'ed25519-import',
    'ed25519-sign:77',
    'ed25519-verify:77',
    'chacha20-poly1305-seal:21+115',
    'chacha20-poly1305-open:21+115',
    'aes-256-gcm-seal:21+115',
    'aes-256-gcm-open:21+115',
    'ml-kem-768-public',
    'ml-kem-768-encapsulate',
    'ml-kem-768-decapsulate',
    'ml-kem-1024-public',
    'ml-kem-1024-encapsulate',
    'ml-kem-1024-decapsulate',
    'ml-kem-1024-import',
    'ml-kem-1024-decapsulate-handle',
    'chacha20:115',
    'x-wing-public',
    'x-wing-encapsulate',
    'x-wing-decapsulate',
    'x-wing-import',
    'x-wing-decapsulate-handle',
    'ristretto255-base',
    'ristretto255-multiply',
    'ristretto255-add',
    'ristretto255-scalar',
    'ristretto255-invert',
  ]) {
    assert.ok(counts.has(name), `${name} is not among ${[...counts.keys()].join(', ')}`);
  }
  assert.equal(counts.get('x25519'), 1);
  assert.equal(counts.get('hmac-sha256:77'), 3);
  assert.equal(counts.get('ristretto255-scalar'), 4); // Reduced, added, subtracted, multiplied.
  assert.equal(counts.get('ristretto255-add'), 2); // Added, subtracted.
});

test('counting changes no result', () => {
  const { provider } = countPrimitives(nativeProvider);
  const plain = callsOf(nativeProvider, 1);
  callsOf(provider, 1).forEach((call, i) => {
    if (!call.deterministic) return;
    const expected = withOutputs(call.inputs, call.outputs);
    plain[i]!.run(expected);
    const given = withOutputs(call.inputs, call.outputs);
    call.run(given);
    assert.deepEqual(given, expected, call.name);
  });
});

test('counting keeps refusals, the lack of a primitive, and the description of the provider', async () => {
  const inner = await libsodium.load();
  const { provider } = countPrimitives(inner);
  assert.throws(() => provider.x25519(out, key, new Uint8Array(32)), RefusedError);
  assert.equal(provider.aead['aes-256-gcm'], undefined);
  assert.deepEqual(Object.keys(provider.kem), Object.keys(inner.kem));
  assert.equal(provider.kem['ml-kem-1024'], undefined);
  const withoutGroup = await native.load();
  assert.equal(countPrimitives(withoutGroup).provider.ristretto255, undefined);
  assert.deepEqual(
    [provider.name, provider.version, provider.sources],
    [inner.name, inner.version, inner.sources],
  );
});

function withOutputs(inputs: Arguments, outputs: Readonly<Record<string, number>>): Arguments {
  const fresh = Object.entries(outputs).map(
    ([name, length]) => [name, new Uint8Array(length)] as const,
  );
  return { ...structuredClone(inputs), ...Object.fromEntries(fresh) };
}
