import { concatBytes, equalBytes, putUint32, utf8 } from '../../core/bytes.ts';
import type { Aead, Provider } from '../../crypto/provider.ts';
import { seededRandomness } from '../../crypto/randomness.ts';
import { aeadName } from '../../pipelines/_carrier.ts';
import { AssociatedData, RatchetFrame } from '../../pipelines/_ratchet-frame.ts';
import { openMessageForm } from '../../pipelines/_message-form.ts';
import { DoubleRatchet, RatchetState } from '../../protocols/double-ratchet.ts';
import { Hpke, HPKE_OVERHEAD_BYTES } from '../../protocols/hpke.ts';
import { notMounted, type ActingAdversary, type Played } from '../adversary.ts';
import type { PublicFacts } from '../evidence.ts';
import { innerKindOf, ratchetProfile } from '../frame-profile.ts';
import { pairs, Stage, type Sent } from '../stage.ts';
import type { TownPlan } from '../town.ts';
import { rootSecrets } from './quantum-recorder.ts';

const CONVERSATIONS = 6;
const TEXT = utf8('take the money.');
const FORGED = utf8('bring the money');
const IDENTITY_BYTES = 64;
const NONCE = new Uint8Array(12);

/** A11: frames that nobody sent, put to a receiver by the relay or by a holder of escrowed keys. */
const forger: ActingAdversary = {
  kind: 'actor',
  name: 'forger',
  id: 'A11',
  title: 'Forger',
  gets: 'the path between the ends; with holder=escrow-key also the authority’s secrets',
  holds: 'one frame at a time',
  async play({ plan, world }) {
    if (innerKindOf(plan.pipeline) === 'opaque') {
      return notMounted('unsupported', 'the frames of its library are not made up here');
    }
    const played = [await forgeAsRelay(plan)];
    if (world.authority === undefined) return played;
    played.push(await forgeAsHolder(plan));
    if (plan.pipeline.rung === 'E0') played.push(await takeOver(plan));
    return played;
  },
};

export default forger;

function playedOf(label: string, hits: number, expected: number | undefined): Played {
  return { label, rate: 'forgery-rate', hits, of: CONVERSATIONS, expected };
}

async function openStage(plan: TownPlan): Promise<Stage> {
  const stage = await Stage.open(plan, pairs(CONVERSATIONS), CONVERSATIONS * 2);
  for (let session = 0; session < CONVERSATIONS; session++) {
    for (const member of [0, 1]) {
      stage.receive(session, 1 - member, stage.send(session, member, utf8('hello')).frame);
    }
  }
  return stage;
}

/** Whatever the relay could pass off as a frame: text, boxes of its own, changed and foreign frames. */
async function forgeAsRelay(plan: TownPlan): Promise<Played> {
  const stage = await openStage(plan);
  let hits = 0;
  for (let session = 0; session < CONVERSATIONS; session++) {
    const genuine = stage.send(session, 0, TEXT);
    const attempts = [
      FORGED,
      boxFor(stage, session),
      ...changed(genuine.frame),
      stage.send((session + 1) % CONVERSATIONS, 0, FORGED).frame,
    ];
    if (attempts.some((frame) => isBelieved(stage, session, frame))) hits += 1;
  }
  const kind = innerKindOf(plan.pipeline);
  return playedOf('by=relay', hits, kind === 'clear' || kind === 'sealed-box' ? 1 : 0);
}

/** Whether the receiver takes it for something that was not sent to it. */
function isBelieved(stage: Stage, session: number, frame: Uint8Array): boolean {
  const received = stage.receive(session, 1, frame);
  return typeof received !== 'number' && !equalBytes(received, TEXT);
}

function changed(frame: Uint8Array): Uint8Array[] {
  const places = [0, 1, frame.length >>> 1, frame.length - 17, frame.length - 1];
  return places
    .filter((at) => at >= 0)
    .map((at) => {
      const other = frame.slice();
      other[at]! ^= 1;
      return other;
    });
}

/** A box to the receiver's public key, which anyone can make. */
function boxFor({ provider, world, options, members }: Stage, session: number): Uint8Array {
  const user = members.user(session, 1);
  const identity = world.directory.subarray(user * IDENTITY_BYTES, (user + 1) * IDENTITY_BYTES);
  if (identity.length === 0) return FORGED;
  const number = new Uint8Array(4);
  putUint32(number, 0, session);
  const info = concatBytes(utf8('sealbench sealed-box'), number, identity);
  const box = new Uint8Array(FORGED.length + HPKE_OVERHEAD_BYTES);
  const hpke = new Hpke(provider, aeadName(options));
  const key = identity.subarray(0, 32);
  hpke.seal(box, seededRandomness(1), key, info, new Uint8Array(0), FORGED);
  return box;
}

/** Watches an authority at work, and seals another text under the key that it came by. */
async function forgeAsHolder(plan: TownPlan): Promise<Played> {
  const stage = await openStage(plan);
  let hits = 0;
  const earlier: Sent[] = [];
  const spy = new KeySpy(plan.provider);
  const authority = stage.openAuthority(spy.provider)!;
  const out = new Uint8Array(65_536);
  // The authority follows each session from its first frame, so it is shown those of a new stage.
  const fresh = await Stage.open(plan, pairs(CONVERSATIONS), CONVERSATIONS * 2);
  for (let session = 0; session < CONVERSATIONS; session++) {
    for (const member of [0, 1, 0]) {
      const sent = fresh.send(session, member, TEXT);
      earlier.push(sent);
      const shown = fresh.world.evidence === 'escrow' ? sent.copy! : sent.frame;
      spy.clear();
      authority.recover(session, member, shown.slice(), out);
      const isLast = member === 0 && earlier.length % 3 === 0;
      if (!isLast) {
        fresh.receive(session, 1 - member, sent.frame);
        continue;
      }
      if (spy.forge(sent.frame).some((frame) => isBelieved(fresh, session, frame))) hits += 1;
    }
  }
  const isOneKey = (plan.options['msg'] ?? 'one-key') === 'one-key';
  const { rung } = plan.pipeline;
  const opensText = /^E[2-7]$/.test(rung);
  // Both chains follow from E7's seed; this forger takes the encryption key alone.
  const expected = rung === 'E7' && !isOneKey ? undefined : opensText && isOneKey ? 1 : 0;
  return playedOf('holder=escrow-key', hits, expected);
}

/** A provider that keeps the key, and what was bound, of the last text that opened. */
class KeySpy {
  readonly provider: Provider;
  readonly #inner: Provider;
  readonly #aead: Aead;
  #key: Uint8Array | undefined;
  #associated: Uint8Array | undefined;

  constructor(inner: Provider) {
    this.#inner = inner;
    const aead = inner.aead['chacha20-poly1305'];
    this.#aead = aead;
    const open: Aead['open'] = (out, key, nonce, aad, ciphertext) => {
      const isOpen = aead.open(out, key, nonce, aad, ciphertext);
      if (isOpen) {
        this.#key = key.slice();
        this.#associated = aad.slice();
      }
      return isOpen;
    };
    this.provider = {
      ...inner,
      aead: { ...inner.aead, 'chacha20-poly1305': { seal: aead.seal.bind(aead), open } },
      chacha20: (out, key, nonce, data) => {
        this.#key = key.slice();
        this.#associated = undefined;
        inner.chacha20(out, key, nonce, data);
      },
    };
  }

  clear(): void {
    this.#key = undefined;
    this.#associated = undefined;
  }

  /** The genuine frame with another text, in every way that the key allows. */
  forge(frame: Uint8Array): Uint8Array[] {
    if (this.#key === undefined) return [];
    if (this.#associated !== undefined) {
      const sealed = new Uint8Array(FORGED.length + 16);
      this.#aead.seal(sealed, this.#key, NONCE, this.#associated, FORGED);
      return [concatBytes(frame.subarray(0, frame.length - sealed.length), sealed)];
    }
    // Encrypt-then-MAC: the text under its own key, with the genuine tag and with one under that key.
    return [32, 64].flatMap((tailBytes) => {
      const at = frame.length - tailBytes - FORGED.length;
      if (at < 0) return [];
      const other = frame.slice();
      const ciphertext = new Uint8Array(FORGED.length);
      this.#inner.chacha20(ciphertext, this.#key!, NONCE, FORGED);
      other.set(ciphertext, at);
      const tagged = other.slice();
      const tag = new Uint8Array(32);
      this.#inner.hmacSha256(tag, this.#key!, other.subarray(0, other.length - 32));
      tagged.set(tag, tagged.length - 32);
      return [other, tagged];
    });
  }
}

/** E0: whoever has the authority's key and the path puts a ratchet key of its own in the first frame. */
async function takeOver(plan: TownPlan): Promise<Played> {
  const stage = await Stage.open(plan, pairs(CONVERSATIONS), CONVERSATIONS * 2);
  const { provider, options, world, members, pipeline, bundles } = stage;
  const facts = { provider, pipeline, options, directory: world.directory, members } as PublicFacts;
  const secretOf = rootSecrets(facts, { authority: world.authority! })!;
  const profile = ratchetProfile(provider, pipeline, options);
  const layout = new RatchetFrame(profile.shape);
  const form = openMessageForm(provider, options);
  const associated = new AssociatedData(world.directory);
  const keys = { macChains: profile.macChains };
  const ratchet = new DoubleRatchet(provider, seededRandomness(plan.seed, 4), keys);
  let hits = 0;
  for (let session = 0; session < CONVERSATIONS; session++) {
    const { frame } = stage.send(session, 0, TEXT);
    const filed = {
      message: 0,
      kind: 'message',
      session,
      sender: 0,
      from: 0,
      to: 0,
      atMs: 0,
    } as const;
    const secret = secretOf({ ...filed, bytes: frame });
    if (secret === undefined) continue;
    layout.read(frame);
    layout.readOn(frame, 0);
    const state = new RatchetState(keys);
    ratchet.initInitiator(state, secret, bundles[session]!.subarray(132, 164));
    const forged = frame.slice();
    const { headerAt, ciphertextAt } = layout;
    ratchet.stepSending(state, forged.subarray(headerAt, headerAt + layout.headerBytes));
    const [initiator, responder] = [members.user(session, 0), members.user(session, 1)];
    const aad = associated.build(initiator, responder, forged, headerAt, ciphertextAt);
    form.seal(forged.subarray(ciphertextAt), ratchet.messageKey, aad, FORGED);
    if (isBelieved(stage, session, forged)) hits += 1;
  }
  return playedOf('holder=escrow-key,at=session-start', hits, 1);
}
