/**
 * sodium-native's own functions on buffers made beforehand, by the names that the counting provider
 * gives: what a protocol's cryptography costs when nothing stands between.
 *
 * @module
 */

import { loadLibrary } from './_package.ts';

export type RawCalls = (counted: string) => (() => void) | undefined;

/**
 * @returns For a counted name such as `sha256:65`, the call; undefined for what is composed of
 *   others, and for random bytes drawn, which are part of the others' inputs.
 */
export async function rawNativeCalls(): Promise<RawCalls> {
  const { default: sodium } = await loadLibrary(['sodium-native'], () => import('sodium-native'));
  const key = new Uint8Array(32).fill(7);
  const nonce = new Uint8Array(12);
  const out = new Uint8Array(32);
  const point = new Uint8Array(32);
  sodium.crypto_scalarmult_base(point, key);

  return (counted) => {
    const [name, lengths = ''] = counted.split(':');
    const [first = 0, second = 0] = lengths.split('+').map(Number);
    if (name === 'sha256') {
      const data = new Uint8Array(first);
      return () => sodium.crypto_hash_sha256(out, data);
    }
    if (name === 'x25519') return () => sodium.crypto_scalarmult(out, key, point);
    if (name === 'x25519-handle') return () => sodium.crypto_scalarmult(out, key, point);
    if (name === 'x25519-base') return () => sodium.crypto_scalarmult_base(out, key);
    if (name === 'random') {
      const bytes = new Uint8Array(first);
      return () => sodium.randombytes_buf(bytes);
    }
    if (name === 'chacha20') {
      const text = new Uint8Array(first);
      const streamed = new Uint8Array(first);
      return () => sodium.crypto_stream_chacha20_ietf_xor(streamed, text, nonce, key);
    }
    const aad = new Uint8Array(first);
    const plaintext = new Uint8Array(second);
    const ciphertext = new Uint8Array(second + 16);
    const seal = (): void => {
      sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
        ciphertext,
        plaintext,
        aad,
        null,
        nonce,
        key,
      );
    };
    if (name === 'chacha20-poly1305-seal') return seal;
    if (name !== 'chacha20-poly1305-open') return undefined;
    seal();
    return () => {
      sodium.crypto_aead_chacha20poly1305_ietf_decrypt(
        plaintext,
        null,
        ciphertext,
        aad,
        nonce,
        key,
      );
    };
  };
}
