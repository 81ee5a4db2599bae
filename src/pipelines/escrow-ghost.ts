import { EMPTY } from '../core/bytes.ts';
import type { Kem, Provider } from '../crypto/provider.ts';
import { IDENTITY_BYTES } from '../protocols/x3dh.ts';
import { Accounts } from './_accounts.ts';
import {
  carry,
  carrierOptions,
  ForwardingEnds,
  openCarrierRelay,
  type EndToEnd,
} from './_carrier.ts';
import { derivedRandomness } from './_derived-randomness.ts';
import { EscrowOutbox } from './_escrow-outbox.ts';
import { chosenRatchet, RATCHET_OPTION, TARGETS_OPTION, targetsOf } from './_escrow-ratchet.ts';
import { PackedMembers } from './_members.ts';
import {
  OUTCOME,
  type Authority,
  type AuthorityOpening,
  type Options,
  type Outbox,
  type Pipeline,
  type SeizedDevice,
  type Setup,
  type World,
} from './_pipeline.ts';
import { RatchetEnds, SKIP_LIMIT } from './_ratchet-ends.ts';
import { PERSIST_OPTION } from './_session-records.ts';

const SEED_BYTES = 32;

/** The sessions with the ghost: one for each member of each target, who is member 0 of it. */
function ghostMembers(members: PackedMembers, targets: number, ghost: number): Uint32Array {
  const users = new Uint32Array(targets * 4);
  for (let session = 0; session < targets; session++) {
    for (let member = 0; member < 2; member++) {
      users[(session * 2 + member) * 2] = members.user(session, member);
      users[(session * 2 + member) * 2 + 1] = ghost;
    }
  }
  return users;
}

/** The authority's device as the directory knows it: its identity, and a bundle for each session. */
function ghostDevice(
  provider: Provider,
  seed: Uint8Array,
  bundles: number,
  kem: Kem | undefined,
): { readonly identity: Uint8Array; readonly bundles: readonly Uint8Array[] } {
  const accounts = new Accounts(provider, derivedRandomness(provider, seed), 1, kem);
  return { identity: accounts.directory, bundles: publish(accounts, 0, bundles) };
}

function publish(accounts: Accounts, user: number, bundles: number): Uint8Array[] {
  const published: Uint8Array[] = [];
  let reserved = EMPTY;
  const outbox: Outbox = {
    reserve: (bytes) => (reserved = new Uint8Array(bytes)),
    emit: () => published.push(reserved),
  };
  for (let i = 0; i < bundles; i++) accounts.publish(user, 0, user, outbox);
  return published;
}

/** When the ghost joins a conversation, and whether it is given what was said before. */
interface Joining {
  /** Messages of a session before it. */
  readonly after: number;
  readonly withHistory: boolean;
}

function joiningOf(options: Options): Joining {
  return { after: Number(options['joins']), withHistory: options['history'] === 'on' };
}

/** Every frame to a target goes to the ghost too, over a session of its own. */
class GhostedEnds extends ForwardingEnds implements EndToEnd {
  readonly #ends: RatchetEnds;
  readonly #sessions: number;
  readonly #targets: number;
  readonly #bundles: readonly Uint8Array[];
  readonly #joining: Joining;
  readonly #isOpen: Uint8Array;
  /** Messages of each target so far. */
  readonly #sent: Uint32Array;
  /** What was said in each target before the ghost joined, kept by the devices as their history. */
  readonly #history = new Map<number, Uint8Array[]>();
  readonly #outbox: EscrowOutbox;
  readonly #historyOutbox: EscrowOutbox;
  readonly receive: EndToEnd['receive'];

  /** @param ends Of the sessions proper, and after them those with the ghost. */
  constructor(
    ends: RatchetEnds,
    sessions: number,
    targets: number,
    ghost: number,
    bundles: readonly Uint8Array[],
    joining: Joining,
  ) {
    super(ends);
    this.#ends = ends;
    this.#sessions = sessions;
    this.#targets = targets;
    this.#bundles = bundles;
    this.#joining = joining;
    this.#isOpen = new Uint8Array(targets * 2);
    this.#sent = new Uint32Array(targets);
    this.#outbox = new EscrowOutbox(ghost);
    this.#historyOutbox = new EscrowOutbox(ghost, 'control');
    this.receive = ends.receive.bind(ends);
  }

  send(session: number, member: number, plaintext: Uint8Array, atMs: number, outbox: Outbox): void {
    this.#ends.send(session, member, plaintext, atMs, outbox);
    if (session >= this.#targets) return;
    const sent = this.#sent[session]!;
    this.#sent[session] = sent + 1;
    const { after, withHistory } = this.#joining;
    if (sent < after) {
      if (withHistory) this.#remember(session, plaintext);
      return;
    }
    const end = session * 2 + member;
    const ghosted = this.#sessions + end;
    if (this.#isOpen[end] === 0) {
      if (this.#ends.initiate(ghosted, 0, this.#bundles[end]!, atMs) < 0) {
        throw new RangeError('"bundle" expected the one that the authority published');
      }
      this.#isOpen[end] = 1;
    }
    this.#giveHistory(session, ghosted, atMs, outbox);
    this.#ends.send(ghosted, 0, plaintext, atMs, this.#outbox.into(outbox));
  }

  #remember(session: number, plaintext: Uint8Array): void {
    const history = this.#history.get(session);
    if (history === undefined) this.#history.set(session, [plaintext.slice()]);
    else history.push(plaintext.slice());
  }

  /** Whoever sends first after the ghost joined gives it what its device has of the conversation. */
  #giveHistory(session: number, ghosted: number, atMs: number, outbox: Outbox): void {
    const history = this.#history.get(session);
    if (history === undefined) return;
    const given = this.#historyOutbox.into(outbox);
    for (const text of history) this.#ends.send(ghosted, 0, text, atMs, given);
    this.#history.delete(session);
  }
}

/** The ghost: a device that receives and never sends. */
class GhostAuthority implements Authority {
  readonly #targets: number;
  /** The ghost's user number. */
  readonly #ghost: number;
  readonly #device: RatchetEnds;

  constructor({ provider, options, secrets, directory, members }: AuthorityOpening) {
    const users = directory.length / IDENTITY_BYTES;
    this.#targets = targetsOf(options, members.sessions);
    this.#ghost = users;
    const ratchet = chosenRatchet({ provider, options });
    const setup: Setup = {
      provider,
      randomness: derivedRandomness(provider, secrets[0]!),
      users: users + 1,
      members: new PackedMembers(ghostMembers(members, this.#targets, users)),
      options,
      seed: 0,
    };
    const strangers = { first: 0, identities: directory };
    this.#device = new RatchetEnds(setup, { ...ratchet, strangers });
    publish(this.#device.accounts, users, this.#targets * 2);
  }

  recover(session: number, member: number, evidence: Uint8Array, out: Uint8Array): number {
    if (session >= this.#targets) return OUTCOME.UNKNOWN_KEY;
    return this.#device.receive(session * 2 + member, 1, evidence, 0, out);
  }

  seize(): SeizedDevice {
    return this.#device.seize(this.#ghost);
  }
}

/**
 * E1: the provider adds a silent device to a target's conversations. No key is escrowed and nothing
 * changes for anybody else; what gives way is the honesty of the roster.
 */
const escrowGhost: Pipeline = {
  name: 'escrow-ghost',
  title: 'Double Ratchet with a silent device of the authority in the conversations of targets',
  family: 'escrow-wrapped',
  rung: 'E1',
  removes: 'roster honesty: who holds the directory reads along from the moment it adds a device',
  specs: [
    'Levy and Robinson, Principles for a More Informed Exceptional Access Debate, Lawfare, 2018',
    'X3DH revision 1 (2016-11-04), sections 3.1 to 3.4',
    'Double Ratchet revision 4 (2025-11-04), sections 3.1 to 3.5; revision 1 (2016-11-20), section 5.2',
  ],
  caveats: [
    'Everything that it adds is paid by targets: read its difference to double-ratchet times the target share.',
    'The ghost never answers, so its sessions repeat the handshake on every frame and their ratchet never turns.',
    'The bundles of the ghost that clients download are not counted.',
    'A copy and its message share one fate when the network loses: it is modelled as one request.',
    'With history=on the past is sent one message at a time; it is opened in tests and by attacks, and recall here counts messages after the ghost joined only.',
    'That the client hides the device from its list is assumed, not built.',
  ],
  options: {
    ...carrierOptions({ hop: 'on', rest: 'user-day' }),
    persist: PERSIST_OPTION,
    ratchet: RATCHET_OPTION,
    targets: TARGETS_OPTION,
    joins: {
      title: 'messages of a session before the ghost is added',
      // With history the ghost is given that many messages on one chain.
      values: { min: 0, max: SKIP_LIMIT },
      default: '0',
    },
    history: {
      title: 'whether the ghost, as a linked device, is given the history when it joins',
      values: ['off', 'on'],
      default: 'off',
    },
  },
  replayProtection: true,
  skipLimit: SKIP_LIMIT,
  paidByTargets: true,
  open(setup): World {
    const { provider, randomness, users, members, options } = setup;
    const targets = targetsOf(options, members.sessions);
    const ratchet = chosenRatchet(setup);
    const seed = new Uint8Array(SEED_BYTES);
    randomness.fill(seed);
    const { identity, bundles } = ghostDevice(provider, seed, targets * 2, ratchet.handshakeKem);
    const all = new Uint32Array(members.users.length + targets * 4);
    all.set(members.users);
    all.set(ghostMembers(members, targets, users), members.users.length);
    const inner = new RatchetEnds(
      { ...setup, users: users + 1, members: new PackedMembers(all) },
      { ...ratchet, strangers: { first: users, identities: identity } },
    );
    const joining = joiningOf(options);
    const ends = new GhostedEnds(inner, members.sessions, targets, users, bundles, joining);
    return {
      ...carry(setup, ends),
      authority: [seed],
      directory: inner.accounts.directory.slice(0, users * IDENTITY_BYTES),
      targets,
      evidence: 'escrow',
      evidenceFrom: joining.after,
      standsAlone: true,
    };
  },
  openRelay: openCarrierRelay,
  openAuthority: (opening) => new GhostAuthority(opening),
};

export default escrowGhost;
