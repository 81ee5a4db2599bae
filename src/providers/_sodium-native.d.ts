/** The part of sodium-native 5 that is used; the package has no types of its own. */
declare module 'sodium-native' {
  interface SodiumNative {
    randombytes_buf(out: Uint8Array): void;
    crypto_hash_sha256(out: Uint8Array, data: Uint8Array): void;
    /** Throws where libsodium returns -1: an all-zero result. */
    crypto_scalarmult(out: Uint8Array, secret: Uint8Array, publicKey: Uint8Array): void;
    crypto_scalarmult_base(out: Uint8Array, secret: Uint8Array): void;
    /** `expandedSecret` is 64 bytes: seed || public key. */
    crypto_sign_seed_keypair(
      publicKey: Uint8Array,
      expandedSecret: Uint8Array,
      seed: Uint8Array,
    ): void;
    crypto_sign_detached(
      signature: Uint8Array,
      message: Uint8Array,
      expandedSecret: Uint8Array,
    ): void;
    crypto_sign_verify_detached(
      signature: Uint8Array,
      message: Uint8Array,
      publicKey: Uint8Array,
    ): boolean;
    /** RFC 8439 §2.4 from block 0. */
    crypto_stream_chacha20_ietf_xor(
      out: Uint8Array,
      data: Uint8Array,
      nonce: Uint8Array,
      key: Uint8Array,
    ): void;
    crypto_aead_chacha20poly1305_ietf_encrypt(
      out: Uint8Array,
      plaintext: Uint8Array,
      aad: Uint8Array,
      secretNonce: null,
      nonce: Uint8Array,
      key: Uint8Array,
    ): number;
    /** Throws when the tag does not verify. */
    crypto_aead_chacha20poly1305_ietf_decrypt(
      out: Uint8Array,
      secretNonce: null,
      ciphertext: Uint8Array,
      aad: Uint8Array,
      nonce: Uint8Array,
      key: Uint8Array,
    ): number;
  }
  const sodium: SodiumNative;
  export default sodium;
}
