/**
 * Hides the sender of every frame that the ends below emit.
 *
 * | bytes | what |
 * | --- | --- |
 * | 97 | head and tag of Sealed Sender, see src/protocols/sealed-sender.ts |
 * | 236 | sender certificate, encrypted |
 * | n | the frame of the ends below, encrypted |
 *
 * Bundles go to the directory and are not sealed.
 *
 * @module
 */

import { EMPTY, equalBytes, getUint32, putUint32 } from '../core/bytes.ts';
import { PackedRecords } from '../core/packed.ts';
import type { Provider } from '../crypto/provider.ts';
import {
  SEALED_SENDER_BYTES,
  SealedSender,
  SENDER_CERTIFICATE_BYTES,
  SenderCertificate,
  type CertificateAuthority,
} from '../protocols/sealed-sender.ts';
import type { Accounts } from './_accounts.ts';
import { chosenAead, ForwardingEnds, type EndToEnd } from './_carrier.ts';
import type { PackedMembers } from './_members.ts';
import { OUTCOME, type FrameKind, type OptionSpec, type Outbox, type Setup } from './_pipeline.ts';
import { ScratchViews } from './_views.ts';

/** What a sealed frame is longer than the frame in it. */
export const SEALED_FRAME_BYTES: number = SEALED_SENDER_BYTES + SENDER_CERTIFICATE_BYTES;

/**
 * How many days after the day of its issue a certificate is still valid. Signal's last a day and are
 * held against the time at which the server took the message; a frame here has no such time, so a
 * certificate must outlast the frames that lie in the relay's store.
 */
export const CERTIFICATE_DAYS = 30;

const DAY_MS = 86_400_000;

export const CERTIFICATES_OPTION: OptionSpec = {
  title:
    "the receiver's checks of certificates: both signatures each time, or once per certificate",
  values: ['each', 'cached'],
  default: 'each',
};

export class SealedSenderEnds extends ForwardingEnds implements EndToEnd {
  readonly #ends: EndToEnd;
  readonly #provider: Provider;
  readonly #accounts: Accounts;
  readonly #members: PackedMembers;
  readonly #sealed: SealedSender;
  readonly #trustRoot: Uint8Array;
  readonly #certificate = new SenderCertificate();
  /** `certificates=cached`: the last certificate that verified at each end of each session. */
  readonly #verified: PackedRecords | undefined;
  readonly #outbox: SealedOutbox;
  readonly #views = new ScratchViews();

  /** @param accounts Those of `ends`. */
  constructor(setup: Setup, ends: EndToEnd, accounts: Accounts, authority: CertificateAuthority) {
    super(ends);
    const { provider, randomness, members, options } = setup;
    this.#ends = ends;
    this.#provider = provider;
    this.#accounts = accounts;
    this.#members = members;
    this.#sealed = new SealedSender(provider, randomness, chosenAead(provider, options));
    this.#trustRoot = authority.trustRoot.slice();
    this.#verified =
      options['certificates'] === 'cached'
        ? new PackedRecords(SENDER_CERTIFICATE_BYTES, members.sessions * 2)
        : undefined;
    this.#outbox = new SealedOutbox(this.#sealed, accounts, authority);
  }

  send(session: number, member: number, plaintext: Uint8Array, atMs: number, outbox: Outbox): void {
    this.#outbox.begin(this.#members.user(session, member), atMs, outbox);
    this.#ends.send(session, member, plaintext, atMs, this.#outbox);
  }

  receive(
    session: number,
    member: number,
    frame: Uint8Array,
    atMs: number,
    out: Uint8Array,
  ): number {
    const length = frame.length - SEALED_SENDER_BYTES;
    if (length < SENDER_CERTIFICATE_BYTES) return OUTCOME.AUTH_FAILED;
    const user = this.#members.user(session, member);
    const content = this.#views.take(length);
    const key = this.#accounts.identity(user).subarray(0, 32);
    if (!this.#sealed.open(content, this.#accounts.identityHandle(user), key, frame)) {
      return OUTCOME.AUTH_FAILED;
    }
    this.#certificate.load(content);
    if (!this.#isFrom(this.#members.user(session, 1 - member), atMs)) return OUTCOME.AUTH_FAILED;
    if (!this.#isSigned(session * 2 + member)) return OUTCOME.AUTH_FAILED;
    const inner = content.subarray(SENDER_CERTIFICATE_BYTES);
    return this.#ends.receive(session, member, inner, atMs, out);
  }

  /** Whether the certificate is valid now, for `peer`, and for the key that the frame was sealed with. */
  #isFrom(peer: number, atMs: number): boolean {
    const { user, expiryDay, identity } = this.#certificate;
    const { senderKey } = this.#sealed;
    for (let i = 0; i < senderKey.length; i++) if (identity[i] !== senderKey[i]) return false;
    if (user !== peer || Math.floor(atMs / DAY_MS) > expiryDay) return false;
    return equalBytes(identity, this.#accounts.identity(peer));
  }

  #isSigned(end: number): boolean {
    const { bytes } = this.#certificate;
    const verified = this.#verified?.view(end);
    if (verified !== undefined && equalBytes(verified, bytes)) return true;
    if (!this.#certificate.isSignedUnder(this.#trustRoot, this.#provider)) return false;
    verified?.set(bytes);
    return true;
  }
}

/** A user's certificate: 1 plus the day of its issue, or 0 where there is none yet; then itself. */
const ISSUE_BYTES = 4;

/** Seals what the ends emit as coming from one user. */
class SealedOutbox implements Outbox {
  readonly #sealed: SealedSender;
  readonly #accounts: Accounts;
  readonly #authority: CertificateAuthority;
  readonly #certificates: PackedRecords;
  readonly #views = new ScratchViews();
  #outbox: Outbox | undefined;
  #user = 0;
  #certificate: Uint8Array = EMPTY;
  #content: Uint8Array = EMPTY;

  constructor(sealed: SealedSender, accounts: Accounts, authority: CertificateAuthority) {
    this.#sealed = sealed;
    this.#accounts = accounts;
    this.#authority = authority;
    this.#certificates = new PackedRecords(ISSUE_BYTES + SENDER_CERTIFICATE_BYTES, accounts.users);
  }

  begin(user: number, atMs: number, outbox: Outbox): void {
    this.#user = user;
    this.#outbox = outbox;
    this.#certificate = this.#certificateOf(user, Math.floor(atMs / DAY_MS));
  }

  reserve(bytes: number): Uint8Array {
    this.#content = this.#views.take(SENDER_CERTIFICATE_BYTES + bytes);
    return this.#content.subarray(SENDER_CERTIFICATE_BYTES);
  }

  emit(toUser: number, kind: FrameKind, length: number): void {
    const bytes = SENDER_CERTIFICATE_BYTES + length;
    const content =
      bytes === this.#content.length ? this.#content : this.#content.subarray(0, bytes);
    content.set(this.#certificate);
    const accounts = this.#accounts;
    const senderKey = accounts.identity(this.#user).subarray(0, 32);
    const recipientKey = accounts.identity(toUser).subarray(0, 32);
    const sealed = this.#outbox!.reserve(bytes + SEALED_SENDER_BYTES);
    const handle = accounts.identityHandle(this.#user);
    this.#sealed.seal(sealed, handle, senderKey, recipientKey, content);
    this.#outbox!.emit(toUser, kind, bytes + SEALED_SENDER_BYTES);
  }

  /** Today's certificate of `user`, issued when it is first needed. */
  #certificateOf(user: number, day: number): Uint8Array {
    const record = this.#certificates.view(user);
    const certificate = record.subarray(ISSUE_BYTES);
    if (getUint32(record, 0) !== day + 1) {
      const identity = this.#accounts.identity(user);
      this.#authority.issue(certificate, user, identity, day + CERTIFICATE_DAYS);
      putUint32(record, 0, day + 1);
    }
    return certificate;
  }
}
