import type { CipherSuite } from '@hpke/core';
import { AwaitedFieldClients, type FieldMaker } from './_awaited-field.ts';
import { HPKE_CORE, HPKE_CORE_AEAD_OPTION, loadHpkeCore, openSuite } from './_hpke-core.ts';
import { directOptions } from './_library.ts';
import { openCarrier, openCarrierRelay } from '../_carrier.ts';
import { RatchetAuthority } from '../_escrow-authority.ts';
import { FieldInfo, type FieldSource } from '../_escrow-field.ts';
import { ESCROW_OPTIONS, openField } from '../_escrow-ratchet.ts';
import type { Pipeline, World } from '../_pipeline.ts';
import { SKIP_LIMIT } from '../_ratchet-ends.ts';
import { FIELD_TYPE, openMessageKeyRecovery } from '../escrow-message-key.ts';
import { HPKE_ENC_BYTES, HPKE_OVERHEAD_BYTES } from '../../protocols/hpke.ts';

const MESSAGE_KEY_BYTES = 32;

/** Seals each message key to the authority with the library: E3's field, from `enc` to tag. */
class HpkeCoreField implements FieldMaker {
  readonly type = FIELD_TYPE;
  readonly fieldBytes: number = MESSAGE_KEY_BYTES + HPKE_OVERHEAD_BYTES;
  readonly #suite: CipherSuite;
  readonly #recipientPublicKey: CryptoKey;
  readonly #info = new FieldInfo(FIELD_TYPE);

  constructor(suite: CipherSuite, recipientPublicKey: CryptoKey) {
    this.#suite = suite;
    this.#recipientPublicKey = recipientPublicKey;
  }

  async write(out: Uint8Array, source: FieldSource): Promise<void> {
    const recipientPublicKey = this.#recipientPublicKey;
    const info = this.#info.of(source.session, source.sender, source.n);
    const key = source.encryptionKey;
    const sealed = await this.#suite.seal({ recipientPublicKey, info }, key, source.ofMessage());
    out.set(new Uint8Array(sealed.enc));
    out.set(new Uint8Array(sealed.ct), HPKE_ENC_BYTES);
  }
}

/** `escrow-message-key` with its fields sealed by @hpke/core: the same bytes on the wire. */
const escrowMessageKey: Pipeline = {
  name: 'escrow-message-key.hpke-core',
  title: 'Double Ratchet with each message key sealed to an authority, by @hpke/core',
  family: 'escrow-wrapped',
  rung: 'side',
  removes: 'as escrow-message-key: the same function, its field computed by another implementation',
  specs: [
    'X3DH revision 1 (2016-11-04), sections 3.1 to 3.4',
    'Double Ratchet revision 4 (2025-11-04), sections 3.1 to 3.5; revision 1 (2016-11-20), section 5.2',
    'RFC 9180 section 6.1, base mode, DHKEM(X25519, HKDF-SHA256), AES-256-GCM',
  ],
  caveats: [
    'The library seals on WebCrypto, whose calls are asynchronous and use threads of their own; CPU is that of the process.',
    'Its random numbers are its own: a run cannot be repeated to the byte.',
    "What it returns in arrays of its own is copied into the engine's buffers.",
    'The receiver checks that a field is there and unchanged, not what it opens to.',
  ],
  options: {
    ...ESCROW_OPTIONS,
    ...directOptions(),
    aead: HPKE_CORE_AEAD_OPTION,
    field: {
      title: 'what seals the escrow field: @hpke/core itself has no X-Wing',
      values: ['x25519'],
      default: 'x25519',
    },
  },
  replayProtection: true,
  skipLimit: SKIP_LIMIT,
  foreign: {
    ...HPKE_CORE,
    comparedWith: 'escrow-message-key:aead=aes-256-gcm,hop=none,rest=none',
    differences: [
      'Only the sealing of fields is its own: ratchet, receiver and authority are ours, by the provider, so what differs is in the sending.',
      'Fields are those of escrow-message-key to the byte: our authority opens them, and it opens ours.',
      'It derives the exporter secret of every context, as RFC 9180 section 5.1 has it; ours leaves out what nobody asks for.',
      "The authority's public key is imported once; the ephemeral key of each field is made by WebCrypto.",
      'It has none of the options context, repeat and verifiable.',
    ],
  },
  async open(setup): Promise<World> {
    const { provider, randomness, options } = setup;
    const library = await loadHpkeCore();
    const seal = openField(provider, randomness, options);
    const secret = new Uint8Array(seal.secretKeyBytes);
    const publicKey = new Uint8Array(seal.publicKeyBytes);
    seal.keyPair(publicKey, secret, randomness);
    const suite = openSuite(library);
    const recipient = await suite.kem.deserializePublicKey(publicKey);
    const field = new HpkeCoreField(suite, recipient);
    const clients = new AwaitedFieldClients(setup, HPKE_CORE.package, field);
    return {
      ...openCarrier(setup, 'authenticated'),
      clients,
      authority: [secret],
      directory: clients.directory,
    };
  },
  openRelay: openCarrierRelay,
  openAuthority: (opening) => new RatchetAuthority(opening, openMessageKeyRecovery(opening)),
};

export default escrowMessageKey;
