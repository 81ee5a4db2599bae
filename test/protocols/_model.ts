/**
 * X3DH and the Double Ratchet a second time, as their specifications write them: Maps, fresh arrays
 * and whole copies of the state, over node:crypto alone. The implementation is compared with this.
 *
 * @module
 */

import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
} from 'node:crypto';
import { concatBytes, fromHex, putUint32, toHex, utf8 } from '../../src/core/bytes.ts';

/** DER in front of the 32 bytes of a raw key: RFC 8410 sections 4 and 7. */
const PRIVATE_PREFIX = fromHex('302e020100300506032b656e04220420');
const PUBLIC_PREFIX = fromHex('302a300506032b656e032100');

const NINE = new Uint8Array(32);
NINE[0] = 9;

/** RFC 7748 section 6.1. @throws Error when the result is all zero. */
export function modelX25519(secret: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const ours = concatBytes(PRIVATE_PREFIX, secret);
  const theirs = concatBytes(PUBLIC_PREFIX, publicKey);
  const shared = diffieHellman({
    privateKey: createPrivateKey({ key: Buffer.from(ours), format: 'der', type: 'pkcs8' }),
    publicKey: createPublicKey({ key: Buffer.from(theirs), format: 'der', type: 'spki' }),
  });
  return new Uint8Array(shared);
}

export function modelPublic(secret: Uint8Array): Uint8Array {
  return modelX25519(secret, NINE);
}

/** Section 2.2 of X3DH: KDF(DH1 || DH2 || DH3 || DH4), and of PQXDH, whose info names the KEM. */
function modelKdf(agreements: readonly Uint8Array[], withKem: boolean): Uint8Array {
  const material = concatBytes(new Uint8Array(32).fill(0xff), ...agreements);
  const info = utf8(
    withKem ? 'sealbench PQXDH 25519 SHA-256 ML-KEM-1024' : 'sealbench X3DH 25519 SHA-256',
  );
  return new Uint8Array(hkdfSync('sha256', material, new Uint8Array(32), info, 32));
}

/** X3DH section 3.3, with secrets of one side and public keys of the other. */
export function modelX3dhInitiator(keys: {
  readonly identity: Uint8Array;
  readonly ephemeral: Uint8Array;
  readonly theirIdentity: Uint8Array;
  readonly theirSignedPrekey: Uint8Array;
  readonly theirOneTimePrekey?: Uint8Array;
  readonly kemSecret?: Uint8Array;
}): Uint8Array {
  const agreements = [
    modelX25519(keys.identity, keys.theirSignedPrekey),
    modelX25519(keys.ephemeral, keys.theirIdentity),
    modelX25519(keys.ephemeral, keys.theirSignedPrekey),
  ];
  if (keys.theirOneTimePrekey !== undefined) {
    agreements.push(modelX25519(keys.ephemeral, keys.theirOneTimePrekey));
  }
  if (keys.kemSecret !== undefined) agreements.push(keys.kemSecret);
  return modelKdf(agreements, keys.kemSecret !== undefined);
}

interface KeyPair {
  readonly secret: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** Section 3.2 of the Double Ratchet; nothing in it is ever changed in place. */
interface State {
  readonly DHs: KeyPair;
  readonly DHr: Uint8Array | undefined;
  readonly RK: Uint8Array;
  readonly CKs: Uint8Array | undefined;
  readonly CKr: Uint8Array | undefined;
  readonly Ns: number;
  readonly Nr: number;
  readonly PN: number;
  /** "ratchet key in hex/N" to message key. */
  readonly MKSKIPPED: ReadonlyMap<string, Uint8Array>;
}

export class ModelRatchet {
  #state: State;
  readonly #random: (bytes: number) => Uint8Array;
  readonly #maxSkip: number;

  private constructor(state: State, random: (bytes: number) => Uint8Array, maxSkip: number) {
    this.#state = state;
    this.#random = random;
    this.#maxSkip = maxSkip;
  }

  /** RatchetInitAlice, section 3.3. */
  static initiator(
    random: (bytes: number) => Uint8Array,
    secret: Uint8Array,
    theirPublic: Uint8Array,
    maxSkip = 1000,
  ): ModelRatchet {
    const DHs = newKeyPair(random);
    const [RK, CKs] = kdfRootKey(secret, modelX25519(DHs.secret, theirPublic));
    const state = { DHs, DHr: theirPublic, RK, CKs, CKr: undefined, Ns: 0, Nr: 0, PN: 0 };
    return new ModelRatchet({ ...state, MKSKIPPED: new Map() }, random, maxSkip);
  }

  /** RatchetInitBob, section 3.3. */
  static responder(
    random: (bytes: number) => Uint8Array,
    secret: Uint8Array,
    pair: KeyPair,
    maxSkip = 1000,
  ): ModelRatchet {
    const none = { DHr: undefined, CKs: undefined, CKr: undefined, Ns: 0, Nr: 0, PN: 0 };
    const state = { DHs: pair, RK: secret, ...none, MKSKIPPED: new Map<string, Uint8Array>() };
    return new ModelRatchet(state, random, maxSkip);
  }

  get state(): State {
    return this.#state;
  }

  /** RatchetEncrypt, section 3.4: header, then ciphertext. */
  encrypt(plaintext: Uint8Array, associated: Uint8Array): Uint8Array {
    const { DHs, CKs, Ns, PN } = this.#state;
    if (CKs === undefined) throw new Error('the model cannot send yet');
    const [next, messageKey] = kdfChainKey(CKs);
    const counters = new Uint8Array(8);
    putUint32(counters, 0, PN);
    putUint32(counters, 4, Ns);
    const header = concatBytes(DHs.publicKey, counters);
    this.#state = { ...this.#state, CKs: next, Ns: Ns + 1 };
    return concatBytes(header, seal(messageKey, concatBytes(associated, header), plaintext));
  }

  /** RatchetDecrypt, section 3.5: undefined, and the state as it was, when it does not open. */
  decrypt(frame: Uint8Array, associated: Uint8Array): Uint8Array | undefined {
    const header = frame.slice(0, 40);
    const ciphertext = frame.slice(40);
    const bound = concatBytes(associated, header);
    const publicKey = header.slice(0, 32);
    const view = new DataView(header.buffer);
    const [pn, n] = [view.getUint32(32), view.getUint32(36)];

    const name = `${toHex(publicKey)}/${n}`;
    const skippedKey = this.#state.MKSKIPPED.get(name);
    if (skippedKey !== undefined) {
      const plaintext = open(skippedKey, bound, ciphertext);
      if (plaintext === undefined) return undefined;
      const MKSKIPPED = new Map(this.#state.MKSKIPPED);
      MKSKIPPED.delete(name);
      this.#state = { ...this.#state, MKSKIPPED };
      return plaintext;
    }
    let state = this.#state;
    if (state.DHr === undefined || toHex(state.DHr) !== toHex(publicKey) || !state.CKr) {
      const passedOver = this.#skip(state, pn);
      if (passedOver === undefined) return undefined;
      try {
        state = this.#turn(passedOver, publicKey);
      } catch {
        return undefined; // Their key is a low-order point.
      }
    } else if (n < state.Nr) {
      return undefined; // Section 3.5 would try the next key in the chain, which cannot open it.
    }
    const ready = this.#skip(state, n);
    if (ready === undefined) return undefined;
    const [CKr, messageKey] = kdfChainKey(ready.CKr!);
    const plaintext = open(messageKey, bound, ciphertext);
    if (plaintext === undefined) return undefined;
    this.#state = { ...ready, CKr, Nr: ready.Nr + 1 };
    return plaintext;
  }

  /** SkipMessageKeys, section 3.5. */
  #skip(state: State, until: number): State | undefined {
    if (state.Nr + this.#maxSkip < until) return undefined;
    if (state.CKr === undefined) return state;
    const MKSKIPPED = new Map(state.MKSKIPPED);
    let { CKr, Nr } = state;
    while (Nr < until) {
      const [next, messageKey] = kdfChainKey(CKr);
      MKSKIPPED.set(`${toHex(state.DHr!)}/${Nr}`, messageKey);
      CKr = next;
      Nr += 1;
    }
    return { ...state, CKr, Nr, MKSKIPPED };
  }

  /** DHRatchet, section 3.5. */
  #turn(state: State, DHr: Uint8Array): State {
    const [afterReceiving, CKr] = kdfRootKey(state.RK, modelX25519(state.DHs.secret, DHr));
    const DHs = newKeyPair(this.#random);
    const [RK, CKs] = kdfRootKey(afterReceiving, modelX25519(DHs.secret, DHr));
    return { ...state, PN: state.Ns, Ns: 0, Nr: 0, DHr, DHs, RK, CKs, CKr };
  }
}

function newKeyPair(random: (bytes: number) => Uint8Array): KeyPair {
  const secret = random(32);
  return { secret, publicKey: modelPublic(secret) };
}

/** KDF_RK, section 5.2: root key and chain key. */
function kdfRootKey(rootKey: Uint8Array, shared: Uint8Array): [Uint8Array, Uint8Array] {
  const info = utf8('sealbench Double Ratchet root');
  const derived = new Uint8Array(hkdfSync('sha256', shared, rootKey, info, 64));
  return [derived.slice(0, 32), derived.slice(32)];
}

/** KDF_CK, section 5.2: next chain key and message key. */
function kdfChainKey(chainKey: Uint8Array): [Uint8Array, Uint8Array] {
  const hmac = (constant: number): Uint8Array =>
    new Uint8Array(createHmac('sha256', chainKey).update(Uint8Array.of(constant)).digest());
  return [hmac(2), hmac(1)];
}

const NONCE = new Uint8Array(12);

function seal(key: Uint8Array, associated: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv('chacha20-poly1305', key, NONCE, { authTagLength: 16 });
  cipher.setAAD(associated, { plaintextLength: plaintext.length });
  const body = concatBytes(cipher.update(plaintext), cipher.final());
  return concatBytes(body, cipher.getAuthTag());
}

function open(
  key: Uint8Array,
  associated: Uint8Array,
  ciphertext: Uint8Array,
): Uint8Array | undefined {
  if (ciphertext.length < 16) return undefined;
  const body = ciphertext.slice(0, -16);
  const decipher = createDecipheriv('chacha20-poly1305', key, NONCE, { authTagLength: 16 });
  decipher.setAAD(associated, { plaintextLength: body.length });
  decipher.setAuthTag(ciphertext.slice(-16));
  const plaintext = decipher.update(body);
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return new Uint8Array(plaintext);
}
