import type {
  PrivateKey,
  PublicKey,
  SenderCertificate,
  ServerCertificate,
} from '@signalapp/libsignal-client';
import { directOptions, RECORD_OPTION } from './_library.ts';
import {
  LIBSIGNAL,
  LIBSIGNAL_CAVEATS,
  LIBSIGNAL_SKIP_LIMIT,
  loadLibsignal,
  TRIPLE_RATCHET_DIFFERENCES,
  type Libsignal,
} from './_libsignal.ts';
import { DEVICE_ID, LibsignalDevices, plain, serviceIdOf } from './_libsignal-devices.ts';
import { innerMessageOf } from './_ratchet-header.ts';
import { openCarrier, openCarrierRelay } from '../_carrier.ts';
import { CERTIFICATE_DAYS } from '../_sealed-sender-ends.ts';
import {
  OUTCOME,
  type AsyncClients,
  type Outbox,
  type Pipeline,
  type World,
} from '../_pipeline.ts';

const DAY_MS = 86_400_000;
const SERVER_KEY_ID = 1;
/** libsignal: a sender without a telephone number. */
const NO_NUMBER = null;

interface IssuedCertificate {
  readonly certificate: SenderCertificate;
  readonly day: number;
}

/** The service that issues certificates: a trust root that signed one server key. */
class CertificateService {
  readonly trustRoot: PublicKey;
  readonly #library: Libsignal;
  readonly #serverKey: PrivateKey;
  readonly #serverCertificate: ServerCertificate;
  readonly #issued: IssuedCertificate[] = [];

  constructor(library: Libsignal) {
    const { PrivateKey: Secret, ServerCertificate: Certificate } = library;
    const root = Secret.generate();
    this.#library = library;
    this.trustRoot = root.getPublicKey();
    this.#serverKey = Secret.generate();
    const serverPublic = this.#serverKey.getPublicKey();
    this.#serverCertificate = Certificate.new(SERVER_KEY_ID, serverPublic, root);
  }

  /** Today's certificate of `user`, issued when it is first needed: one signature. */
  certificateOf(user: number, identity: PublicKey, atMs: number): SenderCertificate {
    const day = Math.floor(atMs / DAY_MS);
    const kept = this.#issued[user];
    if (kept?.day === day) return kept.certificate;
    const certificate = this.#library.SenderCertificate.new(
      serviceIdOf(user),
      NO_NUMBER,
      DEVICE_ID,
      identity,
      (day + 1 + CERTIFICATE_DAYS) * DAY_MS,
      this.#serverCertificate,
      this.#serverKey,
    );
    this.#issued[user] = { certificate, day };
    return certificate;
  }
}

class SealedSenderClients implements AsyncClients {
  readonly asynchronous = true;
  readonly #devices: LibsignalDevices;
  readonly #service: CertificateService;

  constructor(devices: LibsignalDevices) {
    this.#devices = devices;
    this.#service = new CertificateService(devices.libsignal);
  }

  async publish(user: number, atMs: number, outbox: Outbox): Promise<void> {
    this.#devices.publish(user, atMs, outbox);
  }

  async initiate(session: number, member: number, bundle: Uint8Array): Promise<number> {
    this.#devices.turnTo(session, member);
    return this.#devices.initiate(bundle);
  }

  async send(
    session: number,
    member: number,
    plaintext: Uint8Array,
    atMs: number,
    outbox: Outbox,
  ): Promise<void> {
    const devices = this.#devices;
    const { libsignal: library, stores } = devices;
    devices.turnTo(session, member);
    try {
      const { user } = devices;
      const sealed = await library.sealedSenderEncryptMessage(
        plain(plaintext),
        devices.peerAddress,
        this.#service.certificateOf(user, devices.identityKey(user), atMs),
        stores.session,
        stores.identity,
      );
      outbox.reserve(sealed.length).set(sealed);
      outbox.emit(devices.peer, 'message', sealed.length);
    } catch (error) {
      throw devices.failed(error);
    }
  }

  async receive(
    session: number,
    member: number,
    frame: Uint8Array,
    atMs: number,
    out: Uint8Array,
  ): Promise<number> {
    const devices = this.#devices;
    const { libsignal: library, stores } = devices;
    devices.turnTo(session, member);
    try {
      const opened = await library.sealedSenderDecryptMessage(
        plain(frame),
        this.#service.trustRoot,
        Math.floor(atMs),
        NO_NUMBER,
        serviceIdOf(devices.user),
        DEVICE_ID,
        stores.session,
        stores.identity,
        stores.prekey,
        stores.signedPrekey,
        stores.kyberPrekey,
      );
      if (opened.senderUuid() !== serviceIdOf(devices.peer)) return OUTCOME.AUTH_FAILED;
      const plaintext = opened.message();
      out.set(plaintext);
      return plaintext.length;
    } catch (error) {
      const inner = await this.#openSeal(frame);
      if (inner?.isFirst === false && !devices.hasSession) return OUTCOME.UNKNOWN_KEY;
      return devices.refused(error, inner?.message);
    }
  }

  /** The ratchet's message in a sealed one that was refused; undefined when the seal does not open. */
  async #openSeal(
    frame: Uint8Array,
  ): Promise<{ readonly isFirst: boolean; readonly message: Uint8Array | undefined } | undefined> {
    const { libsignal: library, stores } = this.#devices;
    try {
      const opened = await library.sealedSenderDecryptToUsmc(plain(frame), stores.identity);
      const type: number = library.CiphertextMessageType.PreKey;
      const isFirst = opened.msgType() === type;
      const message = opened.contents();
      return { isFirst, message: isFirst ? innerMessageOf(message) : message };
    } catch {
      return undefined;
    }
  }
}

/** Signal's sealed sender around its ratchet, to be set beside L11. */
const sealedSender: Pipeline = {
  name: 'sealed-sender.libsignal',
  title: 'the Triple Ratchet under sealed sender, computed by libsignal',
  family: 'ratchet',
  rung: 'side',
  adds: "as L11: sender hiding, by Signal's own construction",
  specs: [
    'Sealed Sender, first version: J. Lund, "Technology preview: Sealed sender for Signal", signal.org, 2018-10-29; libsignal, rust/protocol/src/sealed_sender.rs',
    'PQXDH revision 3 (2023-05-24, updated 2024-01-23), with Kyber-1024 of round 3',
    'Double Ratchet revision 4 (2025-11-04), sections 5 and 6',
    'ML-KEM Braid revision 1 (2025-02-21, updated 2025-09-26)',
  ],
  caveats: [
    ...LIBSIGNAL_CAVEATS,
    "As ours: a certificate is issued with a user's first frame of a day, timed as the sender's, and lasts 30 days, since a frame has no time at which the server took it.",
    'Frames go over anonymous connections, as in L11, but nothing is paid for opening them: asynchronous clients open none.',
  ],
  options: { ...directOptions(), persist: RECORD_OPTION },
  replayProtection: true,
  skipLimit: LIBSIGNAL_SKIP_LIMIT,
  foreign: {
    ...LIBSIGNAL,
    comparedWith: 'sealed-sender:hop=none,persist=record,rest=none',
    differences: [
      'It hides the sender only: headers of the ratchet are encrypted and lengths padded in ours, which stands on L9 and L10. Its clients pad before they call it.',
      'The first version seals with AES-256-CTR and HMAC-SHA256 cut to 10 bytes, ours with ChaCha20-Poly1305; both take one key generation and two X25519 to seal.',
      "Its certificate holds the server's certificate, so that a receiver checks two signatures by XEdDSA; ours checks two by Ed25519.",
      ...TRIPLE_RATCHET_DIFFERENCES,
    ],
  },
  async open(setup): Promise<World> {
    const library = await loadLibsignal();
    const devices = new LibsignalDevices(library, setup.members, setup.users);
    return {
      ...openCarrier(setup, 'anonymous'),
      clients: new SealedSenderClients(devices),
      directory: devices.directory(),
    };
  },
  openRelay: openCarrierRelay,
};

export default sealedSender;
