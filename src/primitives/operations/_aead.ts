/**
 * Sealing and opening, for every AEAD: keys of 32 bytes, nonces of 12, tags of 16, and 16 bytes of
 * associated data, about what a message header has.
 *
 * @module
 */

import { HarnessError } from '../../core/errors.ts';
import type { SeededRandom } from '../../core/random.ts';
import { AEAD_TAG_BYTES, type Aead, type AeadName, type Provider } from '../../crypto/provider.ts';
import { drawBytes } from '../draws.ts';
import { AEAD_ANSWERS, type AeadInputs } from '../known-answers.ts';
import { defineOperation, wrongResult, type Operation, type WebCrypto } from '../operation.ts';
import { owned, type ImportedKey } from '../webcrypto-keys.ts';

const AAD_BYTES = 16;

const TITLES: Readonly<Record<AeadName, string>> = {
  'chacha20-poly1305': 'ChaCha20-Poly1305 (RFC 8439)',
  'aes-256-gcm': 'AES-256-GCM (SP 800-38D)',
};

export function sealing(name: AeadName): Operation {
  return defineOperation<AeadInputs>({
    name: `${name}-seal`,
    title: `${TITLES[name]}: seal, with ${AAD_BYTES} bytes of associated data`,
    primitive: name,
    length: { of: 'plaintext' },
    known: AEAD_ANSWERS[name].map(({ source, inputs, ciphertext }) => ({
      source,
      inputs,
      output: ciphertext,
    })),
    draw: drawInputs,
    outputBytes: ({ plaintext }) => plaintext.length + AEAD_TAG_BYTES,
    bind(provider, { key, nonce, aad, plaintext }, out) {
      const aead = aeadOf(provider, name);
      return () => {
        aead.seal(out, key, nonce, aad, plaintext);
        return out;
      };
    },
    webCrypto: {
      awaited: true,
      async bind({ subtle }, { key, nonce, aad, plaintext }) {
        const imported = await importKey(subtle, name, key);
        const algorithm = algorithmOf(name, nonce, aad);
        const data = owned(plaintext);
        return async () => new Uint8Array(await subtle.encrypt(algorithm, imported, data));
      },
    },
  });
}

export function opening(name: AeadName): Operation {
  return defineOperation<AeadInputs & { readonly ciphertext?: Uint8Array }>({
    name: `${name}-open`,
    title: `${TITLES[name]}: open what was sealed, with ${AAD_BYTES} bytes of associated data`,
    primitive: name,
    length: { of: 'plaintext' },
    known: AEAD_ANSWERS[name].map(({ source, inputs, ciphertext }) => ({
      source,
      inputs: { ...inputs, ciphertext },
      output: inputs.plaintext,
    })),
    draw: drawInputs,
    outputBytes: ({ plaintext }) => plaintext.length,
    bind(provider, { key, nonce, aad, plaintext, ciphertext: given }, out) {
      const aead = aeadOf(provider, name);
      const ciphertext = given ?? new Uint8Array(plaintext.length + AEAD_TAG_BYTES);
      if (given === undefined) aead.seal(ciphertext, key, nonce, aad, plaintext);
      return () => {
        if (!aead.open(out, key, nonce, aad, ciphertext)) {
          throw wrongResult(`${provider.name} does not open what was sealed with ${name}`);
        }
        return out;
      };
    },
    webCrypto: {
      awaited: true,
      async bind({ subtle }, { key, nonce, aad, plaintext, ciphertext: given }) {
        const imported = await importKey(subtle, name, key);
        const algorithm = algorithmOf(name, nonce, aad);
        const ciphertext = given
          ? owned(given)
          : await subtle.encrypt(algorithm, imported, owned(plaintext));
        return async () => new Uint8Array(await subtle.decrypt(algorithm, imported, ciphertext));
      },
    },
  });
}

function drawInputs(random: SeededRandom, bytes: number): AeadInputs {
  return {
    key: drawBytes(random, 32),
    nonce: drawBytes(random, 12),
    aad: drawBytes(random, AAD_BYTES),
    plaintext: drawBytes(random, bytes),
  };
}

function aeadOf(provider: Provider, name: AeadName): Aead {
  const aead = provider.aead[name];
  if (aead === undefined) throw new HarnessError('UNSUPPORTED', `${provider.name} has no ${name}`);
  return aead;
}

const WEBCRYPTO = {
  'chacha20-poly1305': { name: 'ChaCha20-Poly1305', format: 'raw-secret' },
  'aes-256-gcm': { name: 'AES-GCM', format: 'raw' },
} as const;

function importKey(
  subtle: WebCrypto['subtle'],
  aead: AeadName,
  key: Uint8Array,
): Promise<ImportedKey> {
  const { name, format } = WEBCRYPTO[aead];
  return subtle.importKey(format, owned(key), name, false, ['encrypt', 'decrypt']);
}

function algorithmOf(
  aead: AeadName,
  nonce: Uint8Array,
  aad: Uint8Array,
): Parameters<WebCrypto['subtle']['encrypt']>[0] {
  const { name } = WEBCRYPTO[aead];
  return { name, iv: owned(nonce), additionalData: owned(aad), tagLength: AEAD_TAG_BYTES * 8 };
}
