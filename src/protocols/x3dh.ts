/**
 * X3DH key agreement, revision 1 (2016-11-04), sections 3.1 to 3.4.
 *
 * Declared deviation: the identity is an X25519 key plus a separate Ed25519 key that signs it and
 * the signed prekey, where the specification derives both from one key with XEdDSA.
 *
 * @module
 */

import { utf8 } from '../core/bytes.ts';
import type { KeyHandle, Provider } from '../crypto/provider.ts';

export const SHARED_SECRET_BYTES = 32;

/** X25519 identity key, then Ed25519 identity key: Encode(IK) of section 2.2. */
export const IDENTITY_BYTES = 64;

const KEY_BYTES = 32;
const INFO = utf8('sealbench X3DH 25519 SHA-256');
/** PQXDH revision 3 section 2.2: the KEM's name is part of it. */
const PQ_INFO = utf8('sealbench PQXDH 25519 SHA-256 ML-KEM-1024');
const ZERO_SALT = new Uint8Array(32);

/** The initiator's half of section 3.3. */
export interface InitiatorKeys {
  readonly identity: KeyHandle; // IKa
  readonly ephemeralSecret: Uint8Array; // EKa
  readonly theirIdentity: Uint8Array; // IKb
  readonly theirSignedPrekey: Uint8Array; // SPKb
  readonly theirOneTimePrekey: Uint8Array | undefined; // OPKb
  /** A KEM's shared secret, appended as PQXDH revision 3 section 3.3 says. */
  readonly kemSecret?: Uint8Array;
}

/** The responder's half of section 3.4. */
export interface ResponderKeys {
  readonly identity: KeyHandle; // IKb
  readonly signedPrekey: KeyHandle; // SPKb
  readonly oneTimeSecret: Uint8Array | undefined; // OPKb
  readonly theirIdentity: Uint8Array; // IKa
  readonly theirEphemeral: Uint8Array; // EKa
  readonly kemSecret?: Uint8Array;
}

/** One instance per world; owns its scratch, so it is not re-entrant. */
export class X3dh {
  readonly #provider: Provider;
  /** F || DH1 || DH2 || DH3 || DH4 || SS */
  readonly #material = new Uint8Array(32 + 5 * KEY_BYTES);
  readonly #parts: readonly Uint8Array[];

  constructor(provider: Provider) {
    this.#provider = provider;
    this.#material.fill(0xff, 0, 32); // F, section 2.2: 32 bytes of 0xFF for X25519.
    this.#parts = [1, 2, 3, 4, 5].map((part) =>
      this.#material.subarray(part * KEY_BYTES, (part + 1) * KEY_BYTES),
    );
  }

  /**
   * Three or four X25519 and one HKDF.
   *
   * @param out SK: 32 bytes.
   * @throws RefusedError when one of their keys is a low-order point.
   */
  initiate(out: Uint8Array, keys: InitiatorKeys): void {
    const [dh1, dh2, dh3, dh4] = this.#parts;
    this.#provider.x25519(dh1!, keys.identity, keys.theirSignedPrekey);
    this.#provider.x25519(dh2!, keys.ephemeralSecret, keys.theirIdentity);
    this.#provider.x25519(dh3!, keys.ephemeralSecret, keys.theirSignedPrekey);
    if (keys.theirOneTimePrekey !== undefined) {
      this.#provider.x25519(dh4!, keys.ephemeralSecret, keys.theirOneTimePrekey);
    }
    this.#derive(out, keys.theirOneTimePrekey !== undefined, keys.kemSecret);
  }

  /** The responder's mirror image of `initiate`; the same cost and the same `out`. */
  respond(out: Uint8Array, keys: ResponderKeys): void {
    const [dh1, dh2, dh3, dh4] = this.#parts;
    this.#provider.x25519(dh1!, keys.signedPrekey, keys.theirIdentity);
    this.#provider.x25519(dh2!, keys.identity, keys.theirEphemeral);
    this.#provider.x25519(dh3!, keys.signedPrekey, keys.theirEphemeral);
    if (keys.oneTimeSecret !== undefined) {
      this.#provider.x25519(dh4!, keys.oneTimeSecret, keys.theirEphemeral);
    }
    this.#derive(out, keys.oneTimeSecret !== undefined, keys.kemSecret);
  }

  #derive(out: Uint8Array, withOneTime: boolean, kemSecret: Uint8Array | undefined): void {
    let length = (withOneTime ? 5 : 4) * KEY_BYTES;
    if (kemSecret !== undefined) {
      this.#material.set(kemSecret, length);
      length += KEY_BYTES;
    }
    const ikm = this.#material.subarray(0, length);
    this.#provider.hkdfSha256(out, ZERO_SALT, ikm, kemSecret === undefined ? INFO : PQ_INFO);
    this.#material.fill(0, 32);
  }
}
