/** Sealed Sender on every provider: what opens, what is refused, and the certificate. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { equalBytes, toHex } from '../../src/core/bytes.ts';
import { RefusedError, type KeyHandle, type Provider } from '../../src/crypto/provider.ts';
import { seededRandomness } from '../../src/crypto/randomness.ts';
import {
  CertificateAuthority,
  SEALED_SENDER_BYTES,
  SealedSender,
  SENDER_CERTIFICATE_BYTES,
  SenderCertificate,
} from '../../src/protocols/sealed-sender.ts';
import { aeadsOf, loadProviders } from './_providers.ts';

const RUNS = { numRuns: 20, seed: 2018 };
const EPHEMERAL_AT = 1;

/** Points of order 1, 2 and 8: RFC 7748 section 7 has implementations refuse what comes of them. */
const LOW_ORDER_KEYS = [
  new Uint8Array(32),
  Uint8Array.of(1, ...new Uint8Array(31)),
  Uint8Array.fromHex('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'),
];

interface Identity {
  readonly handle: KeyHandle;
  readonly publicKey: Uint8Array;
}

function identityOf(provider: Provider, byte: number): Identity {
  const secret = new Uint8Array(32).fill(byte);
  const publicKey = new Uint8Array(32);
  provider.x25519Public(publicKey, secret);
  return { handle: provider.x25519Handle(secret), publicKey };
}

class Pair {
  readonly sender: Identity;
  readonly recipient: Identity;
  readonly stranger: Identity;
  readonly protocol: SealedSender;

  constructor(provider: Provider, aead = provider.aead['chacha20-poly1305']) {
    this.sender = identityOf(provider, 1);
    this.recipient = identityOf(provider, 2);
    this.stranger = identityOf(provider, 3);
    this.protocol = new SealedSender(provider, seededRandomness(1), aead);
  }

  seal(content: Uint8Array, senderPublic = this.sender.publicKey): Uint8Array {
    const out = new Uint8Array(content.length + SEALED_SENDER_BYTES);
    const { sender, recipient } = this;
    this.protocol.seal(out, sender.handle, senderPublic, recipient.publicKey, content);
    return out;
  }

  /** The content, or undefined when it is refused. */
  open(sealed: Uint8Array, recipient = this.recipient): Uint8Array | undefined {
    const content = new Uint8Array(Math.max(0, sealed.length - SEALED_SENDER_BYTES));
    const { handle, publicKey } = recipient;
    return this.protocol.open(content, handle, publicKey, sealed) ? content : undefined;
  }
}

const providers = await loadProviders();
const CONTENT = new Uint8Array(40).map((_, i) => i);

for (const provider of providers) {
  describe(`sealed sender with ${provider.name}`, () => {
    for (const name of aeadsOf(provider)) {
      test(`the receiver opens what was sealed and learns from whom, with ${name}`, () => {
        const pair = new Pair(provider, provider.aead[name]);
        const anyContent = fc.uint8Array({ maxLength: 300 });
        const opensAgain = fc.property(anyContent, (content) => {
          assert.deepEqual(pair.open(pair.seal(content)), content);
          assert.deepEqual(pair.protocol.senderKey, pair.sender.publicKey);
        });
        fc.assert(opensAgain, RUNS);
      });
    }

    test('a message with any byte changed, cut short or extended is refused', () => {
      const pair = new Pair(provider);
      const sealed = pair.seal(CONTENT);
      for (let at = 0; at < sealed.length; at++) {
        const changed = sealed.slice();
        changed[at]! ^= 0x01;
        assert.equal(pair.open(changed), undefined, `byte ${at}`);
      }
      for (let length = 0; length < sealed.length; length++) {
        assert.equal(pair.open(sealed.slice(0, length)), undefined, `${length} bytes`);
      }
      assert.equal(pair.open(Uint8Array.of(...sealed, 0)), undefined);
      assert.deepEqual(pair.open(sealed), CONTENT);
    });

    test('whoever it is not for cannot open it', () => {
      const pair = new Pair(provider);
      const sealed = pair.seal(CONTENT);
      assert.equal(pair.open(sealed, pair.stranger), undefined);
    });

    test('who names the key of another as the sender is not believed', () => {
      const pair = new Pair(provider);
      assert.equal(pair.open(pair.seal(CONTENT, pair.stranger.publicKey)), undefined);
    });

    test('keys of low order are refused wherever they stand', () => {
      const pair = new Pair(provider);
      for (const key of LOW_ORDER_KEYS) {
        const sealed = pair.seal(CONTENT);
        sealed.set(key, EPHEMERAL_AT);
        assert.equal(pair.open(sealed), undefined);
        assert.equal(pair.open(pair.seal(CONTENT, key)), undefined);
        const out = new Uint8Array(CONTENT.length + SEALED_SENDER_BYTES);
        const { handle, publicKey } = pair.sender;
        assert.throws(() => pair.protocol.seal(out, handle, publicKey, key, CONTENT), RefusedError);
      }
    });

    test('neither identity nor content shows in what is sealed', () => {
      const pair = new Pair(provider);
      const sealed = toHex(pair.seal(CONTENT));
      for (const hidden of [pair.sender.publicKey, pair.recipient.publicKey, CONTENT]) {
        assert.ok(!sealed.includes(toHex(hidden)));
      }
    });

    test('two messages of one sender have nothing in common but their version', () => {
      const pair = new Pair(provider);
      const [first, second] = [pair.seal(CONTENT), pair.seal(CONTENT)];
      assert.equal(first[0], second[0]);
      for (let at = 1; at + 8 <= first.length; at++) {
        assert.ok(!equalBytes(first.subarray(at, at + 8), second.subarray(at, at + 8)), `at ${at}`);
      }
    });

    test('a certificate verifies under its own trust root and no other, and with no byte changed', () => {
      const authority = new CertificateAuthority(provider, seededRandomness(1));
      const other = new CertificateAuthority(provider, seededRandomness(2));
      const bytes = new Uint8Array(SENDER_CERTIFICATE_BYTES);
      authority.issue(bytes, 7, new Uint8Array(64).fill(9), 30);
      const certificate = new SenderCertificate();
      certificate.load(bytes);
      assert.deepEqual([certificate.user, certificate.expiryDay], [7, 30]);
      assert.deepEqual(certificate.identity, new Uint8Array(64).fill(9));
      assert.equal(certificate.isSignedUnder(authority.trustRoot, provider), true);
      assert.equal(certificate.isSignedUnder(other.trustRoot, provider), false);
      for (let at = 0; at < bytes.length; at++) {
        const changed = bytes.slice();
        changed[at]! ^= 0x01;
        certificate.load(changed);
        assert.equal(certificate.isSignedUnder(authority.trustRoot, provider), false, `byte ${at}`);
      }
      assert.deepEqual([authority.issued, other.issued], [1, 0]);
    });
  });
}

test('the same seed gives the same bytes with every provider, and each opens the others', () => {
  const pairs = providers.map((provider) => new Pair(provider));
  const sealed = pairs.map((pair) => pair.seal(CONTENT));
  const certificates = providers.map((provider) => {
    const out = new Uint8Array(SENDER_CERTIFICATE_BYTES);
    new CertificateAuthority(provider, seededRandomness(4)).issue(out, 1, new Uint8Array(64), 2);
    return out;
  });
  for (const message of sealed) {
    assert.deepEqual(message, sealed[0]);
    for (const pair of pairs) assert.deepEqual(pair.open(message), CONTENT);
  }
  for (const certificate of certificates) assert.deepEqual(certificate, certificates[0]);
});

test('a message of 0 bytes takes 97, and a certificate 236', () => {
  assert.equal(SEALED_SENDER_BYTES, 1 + 32 + 48 + 16);
  assert.equal(SENDER_CERTIFICATE_BYTES, 236);
});
