import { concatBytes, getUint32, putUint32, utf8 } from '../core/bytes.ts';
import { PackedRecords } from '../core/packed.ts';
import type { Aead, KeyHandle, Provider } from '../crypto/provider.ts';
import type { Randomness } from '../crypto/randomness.ts';
import { HEADER_N_AT, type RatchetState } from '../protocols/double-ratchet.ts';
import { Hpke, HPKE_OVERHEAD_BYTES } from '../protocols/hpke.ts';
import { SymmetricChain } from '../protocols/symmetric-chain.ts';
import { aeadName, carry, carrierOptions, chosenAead, openCarrierRelay } from './_carrier.ts';
import { RatchetEnds, SKIP_LIMIT, type EscrowField } from './_ratchet-ends.ts';
import { PERSIST_OPTION } from './_session-records.ts';
import { AssociatedData, RatchetFrame } from './_ratchet-frame.ts';
import { ScratchViews } from './_views.ts';
import type { PackedMembers } from './_members.ts';
import {
  OUTCOME,
  type Authority,
  type AuthorityOpening,
  type Pipeline,
  type World,
} from './_pipeline.ts';

const FIELD_TYPE = 2;
const CHAIN_KEY_BYTES = 32;
const FIELD_BYTES: number = CHAIN_KEY_BYTES + HPKE_OVERHEAD_BYTES;
const NONCE = new Uint8Array(12);

/** HPKE info: "esc/v1|", type 1, session 4, sender 4. The chain is bound by the field's aad. */
const INFO_PREFIX = concatBytes(utf8('esc/v1|'), Uint8Array.of(FIELD_TYPE));

function fieldInfo(info: Uint8Array, session: number, member: number): Uint8Array {
  putUint32(info, INFO_PREFIX.length, session);
  putUint32(info, INFO_PREFIX.length + 4, member);
  return info;
}

function newInfo(): Uint8Array {
  return concatBytes(INFO_PREFIX, new Uint8Array(8));
}

/** Seals the first key of each sending chain to the authority, on the chain's first frame. */
class ChainKeyField implements EscrowField {
  readonly type = FIELD_TYPE;
  readonly #hpke: Hpke;
  readonly #randomness: Randomness;
  readonly #authorityPublic: Uint8Array;
  readonly #info = newInfo();

  constructor(hpke: Hpke, randomness: Randomness, authorityPublic: Uint8Array) {
    this.#hpke = hpke;
    this.#randomness = randomness;
    this.#authorityPublic = authorityPublic;
  }

  bytes(state: RatchetState): number {
    return state.sent === 0 ? FIELD_BYTES : 0;
  }

  write(
    out: Uint8Array,
    session: number,
    member: number,
    state: RatchetState,
    associated: Uint8Array,
  ): void {
    const info = fieldInfo(this.#info, session, member);
    const chainKey = state.sendChain;
    this.#hpke.seal(out, this.#randomness, this.#authorityPublic, info, associated, chainKey);
  }

  fits(n: number, length: number): boolean {
    return length === (n === 0 ? FIELD_BYTES : 0);
  }
}

/** One chain that the authority holds: ratchet key 32, CK_0 32, CK_n 32, n 4. */
const CHAIN_BYTES = 100;
const CHAIN_WORDS = CHAIN_BYTES / 4;

/** Chains kept per sender of a session: the current one and the one before, for late messages. */
const CHAINS_KEPT = 2;

class ChainKeyAuthority implements Authority {
  readonly #members: PackedMembers;
  readonly #hpke: Hpke;
  readonly #aead: Aead;
  readonly #symmetric: SymmetricChain;
  readonly #key: KeyHandle;
  readonly #publicKey = new Uint8Array(32);
  readonly #associated: AssociatedData;
  readonly #frame = new RatchetFrame({
    escrowed: true,
    kemCiphertextBytes: 0,
    rekeyPublicKeyBytes: 0,
    rekeyCiphertextBytes: 0,
    headerEncryption: false,
  });
  readonly #info = newInfo();
  readonly #chains: PackedRecords;
  /** Which member opened the session, learnt from frames that carry a handshake. */
  readonly #initiators: Uint8Array;
  readonly #chain = new Uint32Array(CHAIN_WORDS);
  readonly #older = new Uint32Array(CHAIN_WORDS);
  readonly #ratchetKey = new Uint8Array(this.#chain.buffer, 0, 32);
  readonly #firstKey = new Uint8Array(this.#chain.buffer, 32, 32);
  readonly #stepKey = new Uint8Array(this.#chain.buffer, 64, 32);
  readonly #views = new ScratchViews();

  constructor(opening: AuthorityOpening) {
    const { provider, members } = opening;
    this.#members = members;
    this.#hpke = openHpke(provider, opening.options);
    this.#aead = chosenAead(provider, opening.options);
    this.#symmetric = new SymmetricChain(provider);
    const secret = opening.secrets[0]!;
    provider.x25519Public(this.#publicKey, secret);
    this.#key = provider.x25519Handle(secret);
    this.#associated = new AssociatedData(opening.directory);
    this.#chains = new PackedRecords(CHAIN_BYTES, members.sessions * 2 * CHAINS_KEPT);
    this.#initiators = new Uint8Array(members.sessions);
  }

  recover(session: number, member: number, evidence: Uint8Array, out: Uint8Array): number {
    const read = this.#frame;
    if (!read.read(evidence) || !read.readOn(evidence, 0)) return OUTCOME.AUTH_FAILED;
    if (read.hasHandshake) this.#initiators[session] = member;
    const opener = this.#initiators[session]!;
    const initiator = this.#members.user(session, opener);
    const responder = this.#members.user(session, 1 - opener);
    const at = (session * 2 + member) * CHAINS_KEPT;
    const { headerAt } = read;
    const n = getUint32(evidence, headerAt + HEADER_N_AT);

    let slot = this.#findChain(at, evidence, headerAt);
    if (read.fieldBytes > 0) {
      const bound = this.#associated.ofChain(initiator, responder, evidence, read);
      if (n !== 0 || !this.#openField(session, member, evidence, bound)) {
        return OUTCOME.ESCROW_INVALID;
      }
      this.#beginChain(evidence.subarray(headerAt, headerAt + 32));
    } else if (slot < 0) {
      return OUTCOME.UNKNOWN_KEY;
    }
    if (!this.#stepTo(n)) return OUTCOME.TOO_FAR;

    const aad = this.#associated.build(initiator, responder, evidence, headerAt, read.ciphertextAt);
    const ciphertext = evidence.subarray(read.ciphertextAt);
    const plaintext = this.#views.take(ciphertext.length - 16);
    const { messageKey } = this.#symmetric;
    if (!this.#aead.open(plaintext, messageKey, NONCE, aad, ciphertext)) return OUTCOME.AUTH_FAILED;
    if (slot < 0) slot = this.#makeRoom(at);
    this.#chains.store(slot, this.#chain);
    out.set(plaintext);
    return plaintext.length;
  }

  /** One HPKE open: leaves CK_0 in `#firstKey`. */
  #openField(
    session: number,
    member: number,
    evidence: Uint8Array,
    associated: Uint8Array,
  ): boolean {
    const { fieldAt, fieldBytes } = this.#frame;
    if (fieldBytes !== FIELD_BYTES) return false;
    const field = evidence.subarray(fieldAt, fieldAt + fieldBytes);
    const info = fieldInfo(this.#info, session, member);
    return this.#hpke.open(this.#firstKey, this.#key, this.#publicKey, info, associated, field);
  }

  /** The chain of the key that was just opened. Nothing is kept until a message of it opens. */
  #beginChain(ratchetKey: Uint8Array): void {
    this.#ratchetKey.set(ratchetKey);
    this.#stepKey.set(this.#firstKey);
    this.#chain[CHAIN_WORDS - 1] = 0;
  }

  /** @returns The record of the newest chain, free for another. */
  #makeRoom(at: number): number {
    this.#chains.load(at, this.#older);
    this.#chains.store(at + 1, this.#older);
    return at;
  }

  /** Loads the chain of a frame's ratchet key. @returns Its record, or -1. */
  #findChain(at: number, evidence: Uint8Array, headerAt: number): number {
    for (let slot = at; slot < at + CHAINS_KEPT; slot++) {
      this.#chains.load(slot, this.#chain);
      let same = true;
      let used = 0; // An empty record has the ratchet key zero, which no sender can have.
      for (let i = 0; i < 32 && same; i++) {
        same = this.#ratchetKey[i] === evidence[headerAt + i];
        used |= this.#ratchetKey[i]!;
      }
      if (same && used !== 0) return slot;
    }
    return -1;
  }

  /**
   * Leaves the key of message `n` in `#symmetric`; for an earlier one it starts again at CK_0.
   *
   * @returns False when `n`, which nothing authenticates yet, lies farther ahead than any receiver
   *   follows: a forged one would cost 2^32 steps.
   */
  #stepTo(n: number): boolean {
    let next = this.#chain[CHAIN_WORDS - 1]!;
    if (n - next > SKIP_LIMIT) return false;
    if (n < next) {
      this.#stepKey.set(this.#firstKey);
      next = 0;
    }
    for (; next <= n; next++) this.#symmetric.step(this.#stepKey);
    this.#chain[CHAIN_WORDS - 1] = next;
    return true;
  }
}

function openHpke(provider: Provider, options: AuthorityOpening['options']): Hpke {
  return new Hpke(provider, aeadName(options));
}

/**
 * E2: a Double Ratchet whose sender seals the first key of each sending chain to an authority, as
 * the Data Recovery Field of the 1990s did for session keys.
 */
const escrowChainKey: Pipeline = {
  name: 'escrow-chain-key',
  title: 'Double Ratchet with each chain key sealed to an authority',
  family: 'escrow-wrapped',
  rung: 'E2',
  removes: 'end-to-end custody: one key opens every chain of everyone',
  specs: [
    'X3DH revision 1 (2016-11-04), sections 3.1 to 3.4',
    'Double Ratchet revision 4 (2025-11-04), sections 3.1 to 3.5 and 5.2',
    'RFC 9180 section 6.1, base mode, DHKEM(X25519, HKDF-SHA256)',
  ],
  caveats: [
    'The field is on the first frame of a chain only: if the relay loses that frame, the authority cannot read the chain.',
    'The receiver checks that a field is there and unchanged, not what it opens to.',
  ],
  options: { ...carrierOptions({ hop: 'on', rest: 'user-day' }), persist: PERSIST_OPTION },
  replayProtection: true,
  skipLimit: SKIP_LIMIT,
  open(setup): World {
    const { provider, randomness } = setup;
    const secret = new Uint8Array(32);
    const publicKey = new Uint8Array(32);
    randomness.fill(secret);
    provider.x25519Public(publicKey, secret);
    const hpke = openHpke(provider, setup.options);
    const ends = new RatchetEnds(setup, { field: new ChainKeyField(hpke, randomness, publicKey) });
    return {
      ...carry(setup, ends),
      authority: [secret],
      directory: ends.accounts.directory,
    };
  },
  openRelay: openCarrierRelay,
  openAuthority: (opening) => new ChainKeyAuthority(opening),
};

export default escrowChainKey;
