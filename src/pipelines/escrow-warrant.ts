import { concatBytes, getUint32, putUint32, utf8 } from '../core/bytes.ts';
import type { Provider } from '../crypto/provider.ts';
import type { FieldSeal, FieldSecret } from '../protocols/field-kem.ts';
import { carry, openCarrierRelay } from './_carrier.ts';
import { RatchetAuthority, type EvidenceFrame, type KeyRecovery } from './_escrow-authority.ts';
import { FieldInfo, type EscrowField, type FieldSource } from './_escrow-field.ts';
import { ESCROW_OPTIONS, openEscrowEnds, openField } from './_escrow-ratchet.ts';
import type { PackedMembers } from './_members.ts';
import { OUTCOME, type AuthorityOpening, type Pipeline, type World } from './_pipeline.ts';
import { SKIP_LIMIT } from './_ratchet-ends.ts';

const FIELD_TYPE = 5;
const KEY_BYTES = 32;
/** The day, before the two seals. */
const DAY_BYTES = 4;
const DAY_MS = 86_400_000;
const MASTER_BYTES = 32;
const SEED_BYTES = 32;
const NEXT_MASTER = utf8('next master');
const USER_DAY = utf8('user-day key');
const ZERO_SALT = new Uint8Array(32);

/** What is published when the world opens, before anything is timed: days, and keys in all. */
const DAYS_AT_FIRST = 64;
const KEYS_AT_FIRST = 20_000;

/**
 * The keys of users and days, which follow from a master that moves forward: M_d+1 = HKDF(M_d), and
 * what it was before is erased.
 */
export class UserDayKeys {
  readonly #provider: Provider;
  readonly #master: Uint8Array;
  #day = 0;
  readonly #stepped = new Uint8Array(MASTER_BYTES);
  readonly #seed = new Uint8Array(SEED_BYTES);
  /** USER_DAY, then length and value of the user and of the day. */
  readonly #info = concatBytes(USER_DAY, new Uint8Array(16));

  /** @param master M_0. */
  constructor(provider: Provider, master: Uint8Array) {
    this.#provider = provider;
    this.#master = master.slice();
  }

  /** The first day whose keys can still be derived. */
  get firstDay(): number {
    return this.#day;
  }

  /** Erases what leads to days before `day`. */
  advance(day: number): void {
    for (; this.#day < day; this.#day++) this.#step(this.#master);
  }

  /**
   * The seed of a user's key pair on a day, for DeriveKeyPair: one HKDF, and one for each day since
   * the first.
   *
   * @returns Valid until the next call.
   */
  seed(user: number, day: number): Uint8Array {
    const at = USER_DAY.length;
    putUint32(this.#info, at, 4);
    putUint32(this.#info, at + 4, user);
    putUint32(this.#info, at + 8, 4);
    putUint32(this.#info, at + 12, day);
    const master = this.#master.slice();
    for (let d = this.#day; d < day; d++) this.#step(master);
    this.#provider.hkdfSha256(this.#seed, ZERO_SALT, master, this.#info);
    master.fill(0);
    return this.#seed;
  }

  #step(master: Uint8Array): void {
    this.#provider.hkdfSha256(this.#stepped, ZERO_SALT, master, NEXT_MASTER);
    master.set(this.#stepped);
  }
}

/** What the authority publishes: one public key per user and day. */
class PublishedKeys {
  readonly #keys: UserDayKeys;
  readonly #seal: FieldSeal;
  readonly #days: (Uint8Array | undefined)[][] = [];
  readonly #secret: Uint8Array;

  constructor(keys: UserDayKeys, seal: FieldSeal, users: number) {
    this.#keys = keys;
    this.#seal = seal;
    this.#secret = new Uint8Array(seal.secretKeyBytes);
    const days = Math.min(DAYS_AT_FIRST, Math.floor(KEYS_AT_FIRST / users));
    for (let day = 0; day < days; day++) {
      for (let user = 0; user < users; user++) this.of(user, day);
    }
  }

  of(user: number, day: number): Uint8Array {
    const ofDay = (this.#days[day] ??= []);
    return (ofDay[user] ??= this.#derive(user, day));
  }

  #derive(user: number, day: number): Uint8Array {
    const publicKey = new Uint8Array(this.#seal.publicKeyBytes);
    this.#seal.deriveKeyPair(publicKey, this.#secret, this.#keys.seed(user, day));
    this.#secret.fill(0);
    return publicKey;
  }
}

/** Seals each message key to the sender's key of the day and to the recipient's. */
class UserDayField implements EscrowField {
  readonly type = FIELD_TYPE;
  readonly #seal: FieldSeal;
  readonly #published: PublishedKeys;
  readonly #window: number;
  readonly #sealedBytes: number;
  readonly #info = new FieldInfo(FIELD_TYPE);

  /** @param window Days by which a receiver lets a field's day differ from its own. */
  constructor(seal: FieldSeal, published: PublishedKeys, window: number) {
    this.#seal = seal;
    this.#published = published;
    this.#window = window;
    this.#sealedBytes = KEY_BYTES + seal.overheadBytes;
  }

  bytes(): number {
    return DAY_BYTES + 2 * this.#sealedBytes;
  }

  write(out: Uint8Array, source: FieldSource): void {
    const day = Math.floor(source.atMs / DAY_MS);
    putUint32(out, 0, day);
    const info = this.#info.of(source.session, source.sender, source.n);
    let at = DAY_BYTES;
    for (const user of [source.user, source.peer]) {
      const field = out.subarray(at, at + this.#sealedBytes);
      const publicKey = this.#published.of(user, day);
      this.#seal.seal(field, publicKey, info, source.ofMessage(), source.encryptionKey);
      at += this.#sealedBytes;
    }
  }

  fits(_n: number, length: number): boolean {
    return length === this.bytes();
  }

  verify(field: Uint8Array, source: FieldSource): boolean {
    const today = Math.floor(source.atMs / DAY_MS);
    return Math.abs(getUint32(field, 0) - today) <= this.#window;
  }
}

/**
 * Under a warrant for member 0 of each session: opens what that user sends with the first seal and what
 * it receives with the second, by the key of the user and day alone.
 */
class UserDayRecovery implements KeyRecovery {
  readonly #keys: UserDayKeys;
  readonly #seal: FieldSeal;
  readonly #members: PackedMembers;
  readonly #retentionDays: number;
  #today = 0;
  /** Imported secrets, by day and user; those of days gone by are dropped with the master's. */
  readonly #opened = new Map<number, Map<number, FieldSecret>>();
  readonly #secret: Uint8Array;
  readonly #publicKey: Uint8Array;
  readonly #info = new FieldInfo(FIELD_TYPE);

  constructor({ provider, options, secrets, members }: AuthorityOpening) {
    this.#keys = new UserDayKeys(provider, secrets[0]!);
    this.#seal = openField(provider, undefined, options);
    this.#members = members;
    this.#retentionDays = Number(options['retention']);
    this.#secret = new Uint8Array(this.#seal.secretKeyBytes);
    this.#publicKey = new Uint8Array(this.#seal.publicKeyBytes);
  }

  encryptionKey(frame: EvidenceFrame, out: Uint8Array): number {
    const sealedBytes = KEY_BYTES + this.#seal.overheadBytes;
    if (frame.fieldBytes !== DAY_BYTES + 2 * sealedBytes) return OUTCOME.ESCROW_INVALID;
    const { field } = frame;
    const day = getUint32(field, 0);
    // A day that has not come would cost one step of the master each.
    if (day < this.#keys.firstDay || day > this.#today + 1) return OUTCOME.UNKNOWN_KEY;
    const at = DAY_BYTES + (frame.sender === 0 ? 0 : sealedBytes);
    const sealed = field.subarray(at, at + sealedBytes);
    const info = this.#info.of(frame.session, frame.sender, frame.n);
    const secret = this.#userDay(this.#members.user(frame.session, 0), day);
    return this.#seal.open(out, secret, info, frame.ofMessage(), sealed)
      ? 0
      : OUTCOME.ESCROW_INVALID;
  }

  advance(atMs: number): void {
    const today = Math.floor(atMs / DAY_MS);
    if (today <= this.#today) return;
    this.#today = today;
    this.#keys.advance(today - this.#retentionDays);
    for (const day of this.#opened.keys()) {
      if (day < this.#keys.firstDay) this.#opened.delete(day);
    }
  }

  #userDay(user: number, day: number): FieldSecret {
    let ofDay = this.#opened.get(day);
    if (ofDay === undefined) {
      ofDay = new Map();
      this.#opened.set(day, ofDay);
    }
    const kept = ofDay.get(user);
    if (kept !== undefined) return kept;
    this.#seal.deriveKeyPair(this.#publicKey, this.#secret, this.#keys.seed(user, day));
    const secret = this.#seal.prepareSecret(this.#secret);
    this.#secret.fill(0);
    ofDay.set(user, secret);
    return secret;
  }
}

/**
 * E5: each message key sealed to a key of its sender and day and to one of its recipient and day. A
 * warrant discloses the keys of one user for the days that it names, and nothing else opens with them.
 */
const escrowWarrant: Pipeline = {
  name: 'escrow-warrant',
  title: 'Double Ratchet with each message key sealed to keys of its users and day',
  family: 'escrow-wrapped',
  rung: 'E5',
  removes:
    'end-to-end custody, by user and day: a warrant opens one user’s days, the master every user’s since the retention began',
  specs: [
    'Double Ratchet revision 4 (2025-11-04), sections 3.1 to 3.5; revision 1 (2016-11-20), section 5.2',
    'RFC 9180 section 6.1, base mode; section 7.1.3, DeriveKeyPair',
    'RFC 5869 (the master steps forward by HKDF)',
  ],
  caveats: [
    'A receiver refuses a message whose day differs from its own by more than the window, so one that waited longer in the mailbox is lost.',
    'The directory’s part is not timed: 32 bytes per user and day, published by the authority before the day and downloaded by whoever writes to that user.',
    'A missing key of a user and day does not occur here; a deployment must choose between sending without a field and not sending.',
    'Above some 12,000 sessions of the workload chat the keys of later days are not published ahead: they are then derived in the sender’s first message of the day.',
    'Recovery is under a warrant for the user who opened the session.',
  ],
  options: {
    ...ESCROW_OPTIONS,
    window: {
      title: 'days by which a receiver lets the day of a field differ from its own',
      values: { min: 1, max: 365 },
      default: '1',
    },
    retention: {
      title: 'days for which the authority can still derive keys',
      values: { min: 1, max: 365 },
      default: '30',
    },
  },
  replayProtection: true,
  skipLimit: SKIP_LIMIT,
  open(setup): World {
    const { provider, randomness, options, users } = setup;
    const master = new Uint8Array(MASTER_BYTES);
    randomness.fill(master);
    const seal = openField(provider, randomness, options);
    const published = new PublishedKeys(new UserDayKeys(provider, master), seal, users);
    const field = new UserDayField(seal, published, Number(options['window']));
    const ends = openEscrowEnds(setup, field);
    return {
      ...carry(setup, ends),
      authority: [master],
      directory: ends.accounts.directory,
      standsAlone: true,
    };
  },
  openRelay: openCarrierRelay,
  openAuthority: (opening) => new RatchetAuthority(opening, new UserDayRecovery(opening)),
};

export default escrowWarrant;
