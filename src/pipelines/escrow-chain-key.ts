import type { KeyHandle, Provider } from '../crypto/provider.ts';
import type { Randomness } from '../crypto/randomness.ts';
import type { RatchetState } from '../protocols/double-ratchet.ts';
import { Hpke, HPKE_OVERHEAD_BYTES } from '../protocols/hpke.ts';
import { SymmetricChain } from '../protocols/symmetric-chain.ts';
import { aeadName, carry, openCarrierRelay } from './_carrier.ts';
import { ChainFollower } from './_chain-follower.ts';
import { RatchetAuthority, type EvidenceFrame, type KeyRecovery } from './_escrow-authority.ts';
import { FieldInfo, type EscrowField, type FieldSource } from './_escrow-field.ts';
import { ESCROW_OPTIONS, openEscrowEnds } from './_escrow-ratchet.ts';
import { SKIP_LIMIT } from './_ratchet-ends.ts';
import { OUTCOME, type AuthorityOpening, type Pipeline, type World } from './_pipeline.ts';

const FIELD_TYPE = 2;
const CHAIN_KEY_BYTES = 32;
const FIELD_BYTES: number = CHAIN_KEY_BYTES + HPKE_OVERHEAD_BYTES;

/** Seals the first key of each sending chain to the authority, on the chain's first frame. */
class ChainKeyField implements EscrowField {
  readonly type = FIELD_TYPE;
  readonly #hpke: Hpke;
  readonly #randomness: Randomness;
  readonly #authorityPublic: Uint8Array;
  readonly #info = new FieldInfo(FIELD_TYPE);

  constructor(hpke: Hpke, randomness: Randomness, authorityPublic: Uint8Array) {
    this.#hpke = hpke;
    this.#randomness = randomness;
    this.#authorityPublic = authorityPublic;
  }

  bytes(state: RatchetState): number {
    return state.sent === 0 ? FIELD_BYTES : 0;
  }

  write(out: Uint8Array, source: FieldSource): void {
    const info = this.#info.of(source.session, source.sender, 0);
    const key = this.#authorityPublic;
    this.#hpke.seal(out, this.#randomness, key, info, source.ofChain(), source.chainKey);
  }

  fits(n: number, length: number): boolean {
    return length === (n === 0 ? FIELD_BYTES : 0);
  }
}

/** Opens the first key of each chain and steps it to the message. */
class ChainKeyRecovery implements KeyRecovery {
  readonly #hpke: Hpke;
  readonly #symmetric: SymmetricChain;
  readonly #chains: ChainFollower;
  readonly #key: KeyHandle;
  readonly #publicKey = new Uint8Array(32);
  readonly #firstKey = new Uint8Array(32);
  readonly #info = new FieldInfo(FIELD_TYPE);

  constructor({ provider, options, secrets, members }: AuthorityOpening) {
    this.#hpke = openHpke(provider, options);
    this.#symmetric = new SymmetricChain(provider);
    this.#chains = new ChainFollower(members.sessions * 2, (chain) => this.#symmetric.step(chain));
    const secret = secrets[0]!;
    provider.x25519Public(this.#publicKey, secret);
    this.#key = provider.x25519Handle(secret);
  }

  encryptionKey(frame: EvidenceFrame, out: Uint8Array): number {
    const isKept = this.#chains.find(frame.end, frame.ratchetKey);
    if (frame.fieldBytes > 0) {
      if (frame.n !== 0 || !this.#openField(frame)) return OUTCOME.ESCROW_INVALID;
      this.#chains.begin(frame.ratchetKey, this.#firstKey);
    } else if (!isKept) {
      return OUTCOME.UNKNOWN_KEY;
    }
    if (!this.#chains.stepTo(frame.n)) return OUTCOME.TOO_FAR;
    out.set(this.#symmetric.messageKey);
    return 0;
  }

  opened(): void {
    this.#chains.keep();
  }

  /** One HPKE open: leaves CK_0 in `#firstKey`. */
  #openField(frame: EvidenceFrame): boolean {
    if (frame.fieldBytes !== FIELD_BYTES) return false;
    const info = this.#info.of(frame.session, frame.sender, 0);
    const bound = frame.ofChain();
    return this.#hpke.open(this.#firstKey, this.#key, this.#publicKey, info, bound, frame.field);
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
  options: ESCROW_OPTIONS,
  replayProtection: true,
  skipLimit: SKIP_LIMIT,
  open(setup): World {
    const { provider, randomness } = setup;
    const secret = new Uint8Array(32);
    const publicKey = new Uint8Array(32);
    randomness.fill(secret);
    provider.x25519Public(publicKey, secret);
    const hpke = openHpke(provider, setup.options);
    const ends = openEscrowEnds(setup, new ChainKeyField(hpke, randomness, publicKey));
    return {
      ...carry(setup, ends),
      authority: [secret],
      directory: ends.accounts.directory,
    };
  },
  openRelay: openCarrierRelay,
  openAuthority: (opening) => new RatchetAuthority(opening, new ChainKeyRecovery(opening)),
};

export default escrowChainKey;
