/**
 * "A classical field undoes PQXDH", mounted: somebody recorded the frames of a session of L7 with an
 * escrow field and later has a quantum computer, which gives the private key to every public key of
 * X25519 and leaves ML-KEM shut. And that a field over X-Wing gives nothing of the kind away.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { concatBytes, toHex, utf8 } from '../../src/core/bytes.ts';
import { SeededRandom } from '../../src/core/random.ts';
import type { Kem, KeyHandle, Provider } from '../../src/crypto/provider.ts';
import { FieldInfo } from '../../src/pipelines/_escrow-field.ts';
import { openField } from '../../src/pipelines/_escrow-ratchet.ts';
import { mount, type MountedWorld } from './_mounted-world.ts';
import {
  FRAMES_OF_L7,
  openFromHandshake,
  openFromSecret,
  readFrame,
  type FrameParts,
  type Recorder,
} from './_quantum-recorder.ts';

const ALICE = 0;
const BOB = 1;
const TURNS = 16;

const FRAMES: FrameParts = { ...FRAMES_OF_L7, escrowed: true };

/** draft-connolly-cfrg-xwing-kem-10, sections 5.2 to 5.4. */
const ML_KEM_PUBLIC_BYTES = 1184;
const ML_KEM_CIPHERTEXT_BYTES = 1088;
const XWING_LABEL = utf8('\\.//^\\');

type Options = Readonly<Record<string, string>>;

/** Every design whose field may be sealed over either KEM. */
const DESIGNS: readonly (readonly [name: string, options: Options])[] = [
  ['escrow-chain-key', {}],
  ['escrow-message-key', {}],
  ['escrow-message-key', { context: 'yes' }],
  ['escrow-threshold', { variant: 'shamir' }],
  ['escrow-seed', {}],
];

/** A conversation that was recorded whole, and the quantum computer of the one who recorded it. */
interface Recording {
  readonly world: MountedWorld;
  readonly recorder: Recorder;
}

async function record(name: string, options: Options): Promise<Recording> {
  const world = await mount(name, {
    sessions: [[ALICE, BOB]],
    provider: 'native',
    options: { hop: 'none', rest: 'none', ratchet: 'pqxdh-ratchet', ...options },
  });
  const secrets: Uint8Array[] = [...world.drawn, ...x25519SecretsOf(world)];
  const random = new SeededRandom(4);
  for (let turn = 0; turn < TURNS; turn++) {
    for (let left = 1 + random.below(3); left > 0; left--) {
      world.chat(0, 1, 1, turn % 2);
      // Those of a ratchet that follow from a seed are drawn nowhere.
      secrets.push(world.clients.keys(ALICE), world.clients.keys(BOB));
    }
  }
  const x25519Secret = oracleOf(world.provider, [...secrets, ...world.drawn]);
  const { provider, directory } = world;
  return { world, recorder: { provider, parts: FRAMES, directory, x25519Secret } };
}

function isHybrid({ options }: MountedWorld): boolean {
  return options['field'] === 'x-wing';
}

/** SHAKE256(seed, 96), section 5.2: the seed of ML-KEM-768, then the key of X25519. */
function expandXWing(seed: Uint8Array): { mlKem: Uint8Array; x25519: Uint8Array } {
  const hash = createHash('shake256', { outputLength: 96 }).update(seed).digest();
  return { mlKem: hash.subarray(0, 64), x25519: hash.subarray(64) };
}

/** Of the authority: what a quantum computer finds, so of X-Wing the one half. */
function x25519SecretsOf(world: MountedWorld): Uint8Array[] {
  if (!isHybrid(world)) return [...world.authority];
  return world.authority.map((seed) => expandXWing(seed).x25519);
}

/** What everybody knows of the authority, who published it: one key per trustee. */
function publicKeysOf(world: MountedWorld): Uint8Array[] {
  const { provider } = world;
  return world.authority.map((secret) => {
    const publicKey = new Uint8Array(isHybrid(world) ? ML_KEM_PUBLIC_BYTES + 32 : 32);
    if (isHybrid(world)) provider.kem['x-wing']!.publicKey(publicKey, secret);
    else provider.x25519Public(publicKey, secret);
    return publicKey;
  });
}

function oracleOf(
  provider: Provider,
  known: readonly Uint8Array[],
): (publicKey: Uint8Array) => Uint8Array {
  const secrets = new Map<string, Uint8Array>();
  const publicKey = new Uint8Array(32);
  for (const bytes of known) {
    for (let at = 0; at + 32 <= bytes.length; at += 32) {
      const secret = bytes.slice(at, at + 32);
      provider.x25519Public(publicKey, secret);
      secrets.set(toHex(publicKey), secret);
    }
  }
  return (of) => {
    const secret = secrets.get(toHex(of));
    assert.ok(secret !== undefined, 'a public key that nobody made');
    return secret;
  };
}

/**
 * X-Wing as somebody decapsulates it who has the X25519 key to every public key: the secret of ML-KEM
 * is taken to be zero, unless somebody gives its key away. In place of secret keys this takes public
 * ones.
 */
function xWingOfOracle(
  { provider, x25519Secret }: Recorder,
  mlKemSeeds: Map<string, Uint8Array>,
): Kem {
  return {
    ...provider.kem['x-wing']!,
    publicKey: (out, publicKey) => out.set(publicKey),
    handle: (publicKey) => ({ handle: publicKey.slice() }),
    decapsulate(sharedSecret, key, ciphertext) {
      const publicKey = (key as KeyHandle).handle as Uint8Array;
      const x25519Public = publicKey.subarray(ML_KEM_PUBLIC_BYTES);
      const x25519Ciphertext = ciphertext.subarray(ML_KEM_CIPHERTEXT_BYTES);
      const ofX25519 = new Uint8Array(32);
      provider.x25519(ofX25519, x25519Secret(x25519Public), x25519Ciphertext);
      const ofMlKem = new Uint8Array(32);
      const seed = mlKemSeeds.get(toHex(publicKey));
      if (seed !== undefined) {
        const mlKemCiphertext = ciphertext.subarray(0, ML_KEM_CIPHERTEXT_BYTES);
        provider.kem['ml-kem-768']!.decapsulate(ofMlKem, seed, mlKemCiphertext);
      }
      const combined = [ofMlKem, ofX25519, x25519Ciphertext, x25519Public, XWING_LABEL];
      sharedSecret.set(
        createHash('sha3-256')
          .update(concatBytes(...combined))
          .digest(),
      );
    },
  };
}

const NOTHING_GIVEN = new Map<string, Uint8Array>();

/** Does what the authority would do, with what the oracle says of its keys. @returns Messages opened. */
function openThroughField(
  { world, recorder }: Recording,
  mlKemSeeds: Map<string, Uint8Array> = NOTHING_GIVEN,
): number {
  const publicKeys = publicKeysOf(world);
  const { pipeline, members, options, directory } = world;
  const kem = { ...world.provider.kem, 'x-wing': xWingOfOracle(recorder, mlKemSeeds) };
  const attacker = pipeline.openAuthority!({
    provider: isHybrid(world) ? { ...world.provider, kem } : world.provider,
    secrets: isHybrid(world) ? publicKeys : publicKeys.map(recorder.x25519Secret),
    directory,
    members,
    options,
  });
  let opened = 0;
  for (const { session, member, content, text } of world.recording) {
    const out = new Uint8Array(content.length);
    const length = attacker.recover(session, member, content.slice(), out);
    if (length < 0) continue;
    assert.equal(new TextDecoder().decode(out.subarray(0, length)), text);
    opened += 1;
  }
  return opened;
}

/** Follows the ratchet itself, past the field. @returns Messages opened. */
function openThroughRatchet({ world, recorder }: Recording, kemSecret?: Uint8Array): number {
  return countOpened(
    openFromHandshake(recorder, world.bundles[0]!, world.recording, kemSecret),
    world,
  );
}

function countOpened(texts: readonly (string | undefined)[], { recording }: MountedWorld): number {
  texts.forEach((text, number) => {
    if (text !== undefined) assert.equal(text, recording[number]!.text);
  });
  return texts.filter((text) => text !== undefined).length;
}

for (const [name, options] of DESIGNS) {
  const what = [name, ...Object.entries(options).map((option) => option.join('='))].join(' ');
  describe(`a recording of ${what} on L7 and a quantum computer`, () => {
    test('open every message through a field over X25519, and none past it', async () => {
      const recording = await record(name, { ...options, field: 'x25519' });
      assert.ok(recording.world.recording.length > 20);
      assert.equal(openThroughField(recording), recording.world.recording.length);
      assert.equal(openThroughRatchet(recording), 0);
    });

    test('open nothing with a field over X-Wing, neither through it nor past it', async () => {
      const recording = await record(name, { ...options, field: 'x-wing' });
      assert.equal(openThroughField(recording), 0);
      assert.equal(openThroughRatchet(recording), 0);
    });

    test('lack nothing but the secrets of ML-KEM', async () => {
      const recording = await record(name, { ...options, field: 'x-wing' });
      const { world } = recording;
      const seeds = publicKeysOf(world).map(
        (publicKey, trustee) =>
          [toHex(publicKey), expandXWing(world.authority[trustee]!).mlKem] as const,
      );
      assert.equal(openThroughField(recording, new Map(seeds)), world.recording.length);
      assert.equal(
        openThroughRatchet(recording, handshakeSecretOf(recording)),
        world.recording.length,
      );
    });
  });
}

/** What ML-KEM-1024 agreed on in the handshake, with a prekey that no oracle gives. */
function handshakeSecretOf({ world, recorder }: Recording): Uint8Array {
  // Drawn with the one-time prekey is the seed of the KEM's, and the first frame has the ciphertext.
  const oneTime = toHex(recorder.x25519Secret(world.bundles[0]!.subarray(232, 264)));
  const drawn = world.drawn.find(
    (bytes) => bytes.length === 96 && toHex(bytes).startsWith(oneTime),
  );
  const kemSecret = new Uint8Array(32);
  const ciphertext = world.recording[0]!.content.subarray(105, 105 + 1568);
  world.provider.kem['ml-kem-1024']!.decapsulate(kemSecret, drawn!.subarray(32), ciphertext);
  return kemSecret;
}

/** SK out of the field of E0; undefined where the field does not open. */
function handshakeSecretInField({ world, recorder }: Recording): Uint8Array | undefined {
  const { provider, options, directory } = world;
  const kem = { ...provider.kem, 'x-wing': xWingOfOracle(recorder, NOTHING_GIVEN) };
  const [publicKey] = publicKeysOf(world);
  const seal = openField({ ...provider, kem }, undefined, options);
  const secret = seal.prepareSecret(
    isHybrid(world) ? publicKey! : recorder.x25519Secret(publicKey!),
  );
  const { field, ratchetKey } = readFrame(FRAMES, world.recording[0]!.content);
  const out = new Uint8Array(32);
  const info = new FieldInfo(0).of(0, ALICE, 0);
  return seal.open(out, secret, info, concatBytes(directory, ratchetKey), field) ? out : undefined;
}

test('escrow-root-only, which gives an authority nothing, gives a quantum computer all of L7', async () => {
  const recording = await record('escrow-root-only', { field: 'x25519' });
  const { world, recorder } = recording;
  assert.equal(openThroughField(recording), 0, 'SK alone is not enough');
  assert.equal(openThroughRatchet(recording), 0, 'nor are the keys of X25519');
  const secret = handshakeSecretInField(recording);
  assert.ok(secret !== undefined);
  const texts = openFromSecret(recorder, world.bundles[0]!, secret, world.recording);
  assert.equal(countOpened(texts, world), world.recording.length);
});

test('escrow-root-only over X-Wing gives it nothing', async () => {
  const recording = await record('escrow-root-only', { field: 'x-wing' });
  assert.equal(handshakeSecretInField(recording), undefined);
  assert.equal(openThroughField(recording), 0);
  assert.equal(openThroughRatchet(recording), 0);
});

test('what keeping it costs is 1,088 bytes for each field', async () => {
  for (const [name, options] of DESIGNS) {
    const bytes = await Promise.all(
      ['x25519', 'x-wing'].map(async (field) => {
        const { world } = await record(name, { ...options, field });
        return readFrame(FRAMES, world.recording[0]!.content).field.length;
      }),
    );
    const fields = name === 'escrow-threshold' ? 5 : 1;
    assert.equal(bytes[1]! - bytes[0]!, fields * 1_088, name);
  }
});
