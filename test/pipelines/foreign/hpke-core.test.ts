/** @hpke/core and our HPKE compute one function: each opens what the other sealed. */

import assert from 'node:assert/strict';
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { test } from 'node:test';
import type { AeadInterface } from '@hpke/core';
import { concatBytes, EMPTY, fromHex, toHex } from '../../../src/core/bytes.ts';
import { SeededRandom } from '../../../src/core/random.ts';
import { seededRandomness } from '../../../src/crypto/randomness.ts';
import {
  importKeyPair,
  loadHpkeCore,
  openSuite,
} from '../../../src/pipelines/foreign/_hpke-core.ts';
import { OUTCOME } from '../../../src/pipelines/_pipeline.ts';
import sealedBox from '../../../src/pipelines/sealed-box.ts';
import { Hpke, HPKE_ENC_BYTES } from '../../../src/protocols/hpke.ts';
import { loadProvider, optionsOf } from '../../conformance/_parts.ts';
import { SmallWorld } from '../../conformance/_small-world.ts';
import vectorFile from '../../vectors/rfc9180-a2.json' with { type: 'json' };
import { ForeignWorld, loadForeign } from './_foreign-world.ts';

const library = await loadHpkeCore().catch(() => undefined);
const isMissing = library === undefined ? '@hpke/core is not installed' : false;
const node = await loadProvider('node');
const lengths = [0, 1, 15, 16, 17, 115, 2_374];

test(
  'ends of sealed-box and of sealed-box.hpke-core open the frames of each other',
  { skip: isMissing },
  async () => {
    const options = optionsOf(sealedBox, { hop: 'none', rest: 'none', aead: 'aes-256-gcm' });
    // Both draw the same identities from the same seed.
    const ours = await SmallWorld.open(sealedBox, node, options, 2);
    const theirs = (await ForeignWorld.open(await loadForeign('sealed-box.hpke-core'), 2))!;
    assert.deepEqual(theirs.world.directory, ours.world.directory);
    const random = new SeededRandom(11);
    for (const length of lengths) {
      const plaintext = new Uint8Array(length);
      random.fill(plaintext);
      const fromOurs = ours.send(1, 0, plaintext);
      const fromTheirs = await theirs.send(1, 0, plaintext);
      assert.equal(fromTheirs.length, fromOurs.length);
      assert.deepEqual(await theirs.receive(1, 1, fromOurs), plaintext);
      assert.deepEqual(ours.receive(1, 1, fromTheirs), plaintext);
      // Sealed for that session and receiver only.
      assert.equal(await theirs.receive(0, 1, fromOurs), OUTCOME.AUTH_FAILED);
      assert.equal(ours.receive(1, 0, fromTheirs), OUTCOME.AUTH_FAILED);
    }
  },
);

test(
  'single seals of 32 bytes with info and associated data open on the other side',
  { skip: isMissing },
  async () => {
    const suite = openSuite(library!);
    const hpke = new Hpke(node, 'aes-256-gcm');
    const random = new SeededRandom(12);
    const drawn = (length: number): Uint8Array => {
      const bytes = new Uint8Array(length);
      random.fill(bytes);
      return bytes;
    };
    for (let i = 0; i < 8; i++) {
      const secret = drawn(32);
      const publicKey = new Uint8Array(32);
      node.x25519Public(publicKey, secret);
      const keys = await importKeyPair(suite, secret, publicKey);
      const info = drawn(i * 9);
      const aad = drawn(i * 40);
      const plaintext = drawn(32);

      const boxed = new Uint8Array(80);
      hpke.seal(boxed, seededRandomness(i), publicKey, info, aad, plaintext);
      const enc = boxed.subarray(0, HPKE_ENC_BYTES);
      const opened = await suite.open(
        { recipientKey: keys, enc, info },
        boxed.subarray(HPKE_ENC_BYTES),
        aad,
      );
      assert.deepEqual(new Uint8Array(opened), plaintext);

      const sealed = await suite.seal({ recipientPublicKey: keys.publicKey, info }, plaintext, aad);
      const theirs = concatBytes(new Uint8Array(sealed.enc), new Uint8Array(sealed.ct));
      const out = new Uint8Array(32);
      assert.ok(hpke.open(out, secret, publicKey, info, aad, theirs));
      assert.deepEqual(out, plaintext);
      assert.ok(!hpke.open(out, secret, publicKey, drawn(9), aad, theirs));
    }
  },
);

function viewOf(data: ArrayBufferLike | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

function exact(data: Uint8Array): ArrayBuffer {
  return Uint8Array.from(data).buffer;
}

/** The library has no ChaCha20-Poly1305 of its own, in which RFC 9180's vectors for X25519 are. */
function chacha(aeadId: AeadInterface['id']): AeadInterface {
  return {
    id: aeadId,
    keySize: 32,
    nonceSize: 12,
    tagSize: 16,
    createEncryptionContext: (key) => ({
      async seal(iv, data, aad) {
        const cipher = createCipheriv('chacha20-poly1305', viewOf(key), viewOf(iv), {
          authTagLength: 16,
        });
        const plaintextLength = data.byteLength;
        cipher.setAAD(viewOf(aad), { plaintextLength });
        const ciphertext = cipher.update(viewOf(data));
        cipher.final();
        return exact(concatBytes(ciphertext, cipher.getAuthTag()));
      },
      async open(iv, data, aad) {
        const ciphertext = viewOf(data).subarray(0, -16);
        const decipher = createDecipheriv('chacha20-poly1305', viewOf(key), viewOf(iv), {
          authTagLength: 16,
        });
        decipher.setAAD(viewOf(aad), { plaintextLength: ciphertext.length });
        decipher.setAuthTag(viewOf(data).subarray(-16));
        const plaintext = decipher.update(ciphertext);
        decipher.final();
        return exact(plaintext);
      },
    }),
  };
}

test(
  "its key schedule gives RFC 9180's vectors of base mode, which ours opens, and opens them",
  { skip: isMissing },
  async () => {
    const vector = vectorFile.vectors.find(({ mode }) => mode === 0)!;
    const suite = new library!.CipherSuite({
      kem: new library!.DhkemX25519HkdfSha256(),
      kdf: new library!.HkdfSha256(),
      aead: chacha(library!.AeadId.Chacha20Poly1305),
    });
    const recipient = await importKeyPair(suite, fromHex(vector.skRm), fromHex(vector.pkRm));
    const ephemeral = await importKeyPair(suite, fromHex(vector.skEm), fromHex(vector.pkEm));
    const info = fromHex(vector.info);
    const sender = await suite.createSenderContext({
      recipientPublicKey: recipient.publicKey,
      info,
      ekm: { ...ephemeral },
    });
    const receiver = await suite.createRecipientContext({
      recipientKey: recipient,
      enc: fromHex(vector.enc),
      info,
    });
    assert.equal(toHex(new Uint8Array(sender.enc)), vector.enc);
    const hpke = new Hpke(node);
    for (const { pt, aad, ct } of vector.encryptions.filter(({ sequence }) => sequence < 3)) {
      const sealed = await sender.seal(fromHex(pt), fromHex(aad));
      assert.equal(toHex(new Uint8Array(sealed)), ct);
      assert.equal(toHex(new Uint8Array(await receiver.open(fromHex(ct), fromHex(aad)))), pt);
    }
    const [first] = vector.encryptions;
    const boxed = concatBytes(fromHex(vector.enc), fromHex(first!.ct));
    const out = new Uint8Array(first!.pt.length / 2);
    const opened = hpke.open(
      out,
      fromHex(vector.skRm),
      fromHex(vector.pkRm),
      info,
      fromHex(first!.aad),
      boxed,
    );
    assert.ok(opened);
    assert.equal(toHex(out), first!.pt);
    assert.notDeepEqual(out, EMPTY);
  },
);
