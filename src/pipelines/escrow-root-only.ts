import { SymmetricChain } from '../protocols/symmetric-chain.ts';
import type { FieldSeal, FieldSecret } from '../protocols/field-kem.ts';
import { carry, openCarrierRelay } from './_carrier.ts';
import { RatchetAuthority, type EvidenceFrame, type KeyRecovery } from './_escrow-authority.ts';
import { FieldInfo } from './_escrow-field.ts';
import { MESSAGE_FORM_OPTION } from './_message-form.ts';
import {
  ESCROW_OPTIONS,
  openEscrowEnds,
  openField,
  publishAuthorityKey,
} from './_escrow-ratchet.ts';
import { OUTCOME, type AuthorityOpening, type Pipeline, type World } from './_pipeline.ts';
import { SKIP_LIMIT } from './_ratchet-ends.ts';
import { SessionField } from './_session-field.ts';

const FIELD_TYPE = 0;
const SECRET_BYTES = 32;

/**
 * Opens SK and does what is possible with it: takes it for the first key of the first chain. The real
 * one came out of KDF_RK over a Diffie-Hellman agreement whose private halves nobody escrowed.
 */
class RootOnlyRecovery implements KeyRecovery {
  readonly #seal: FieldSeal;
  readonly #secret: FieldSecret;
  readonly #symmetric: SymmetricChain;
  readonly #info = new FieldInfo(FIELD_TYPE);
  /** SK of each session that was opened, and whether it was. */
  readonly #roots: Uint8Array;
  readonly #isOpened: Uint8Array;
  readonly #chain = new Uint8Array(SECRET_BYTES);

  constructor({ provider, options, secrets, members }: AuthorityOpening) {
    this.#seal = openField(provider, undefined, options);
    this.#secret = this.#seal.prepareSecret(secrets[0]!);
    this.#symmetric = new SymmetricChain(provider);
    this.#roots = new Uint8Array(members.sessions * SECRET_BYTES);
    this.#isOpened = new Uint8Array(members.sessions);
  }

  encryptionKey(frame: EvidenceFrame, out: Uint8Array): number {
    const { session } = frame;
    const at = session * SECRET_BYTES;
    if (this.#isOpened[session] === 0) {
      if (frame.fieldBytes === 0) return OUTCOME.UNKNOWN_KEY;
      if (frame.fieldBytes !== SECRET_BYTES + this.#seal.overheadBytes) {
        return OUTCOME.ESCROW_INVALID;
      }
      const info = this.#info.of(session, frame.sender, 0);
      if (!this.#seal.open(this.#chain, this.#secret, info, frame.ofChain(), frame.field)) {
        return OUTCOME.ESCROW_INVALID;
      }
      this.#roots.set(this.#chain, at);
      this.#isOpened[session] = 1;
    }
    if (frame.n > SKIP_LIMIT) return OUTCOME.TOO_FAR;
    for (let i = 0; i < SECRET_BYTES; i++) this.#chain[i] = this.#roots[at + i]!;
    for (let n = 0; n <= frame.n; n++) this.#symmetric.step(this.#chain);
    out.set(this.#symmetric.messageKey);
    return 0;
  }
}

/**
 * E0: the secret of the handshake sealed to an authority, once per session. It recovers nothing: the
 * control that shows why the other designs look as they do.
 */
const escrowRootOnly: Pipeline = {
  name: 'escrow-root-only',
  title: 'The handshake secret sealed to an authority, which recovers nothing',
  family: 'escrow-wrapped',
  rung: 'E0',
  removes: 'nothing from a passive authority: the ratchet mixes in agreements that nobody escrowed',
  specs: [
    'X3DH revision 1 (2016-11-04), sections 3.1 to 3.4',
    'Double Ratchet revision 4 (2025-11-04), sections 3.2 and 3.3',
    'RFC 9180 section 6.1, base mode, DHKEM(X25519, HKDF-SHA256)',
  ],
  caveats: [
    'Recovers nothing on a double ratchet: RatchetInitAlice already mixes a fresh Diffie-Hellman agreement into the root key.',
    'Not harmless: who holds the authority key and sits on the path when a session begins can put its own ratchet key in place of the initiator’s. Not mounted here.',
  ],
  options: {
    ...ESCROW_OPTIONS,
    // Under etm alone any key opens to something, and SK would look as if it did.
    msg: { ...MESSAGE_FORM_OPTION, values: ['one-key', 'etm-commit'] },
  },
  replayProtection: true,
  skipLimit: SKIP_LIMIT,
  recovers: 'none',
  open(setup): World {
    const { provider, randomness, options } = setup;
    const seal = openField(provider, randomness, options);
    const { publicKey, secret } = publishAuthorityKey(setup, seal);
    const info = new FieldInfo(FIELD_TYPE);
    const field = new SessionField(
      FIELD_TYPE,
      SECRET_BYTES + seal.overheadBytes,
      (out, source, sk) => {
        const { session, sender } = source;
        seal.seal(out, publicKey, info.of(session, sender, 0), source.ofChain(), sk);
      },
    );
    const ends = openEscrowEnds(setup, field);
    return { ...carry(setup, ends), authority: [secret], directory: ends.accounts.directory };
  },
  openRelay: openCarrierRelay,
  openAuthority: (opening) => new RatchetAuthority(opening, new RootOnlyRecovery(opening)),
};

export default escrowRootOnly;
