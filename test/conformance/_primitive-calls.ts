/**
 * Every call that a provider offers, as data: what goes in, what comes out and which lengths it must
 * refuse. The tests of lengths and of buffers run over this list.
 */

import type { KeyHandle, Provider } from '../../src/crypto/provider.ts';

export type Arguments = Readonly<Record<string, Uint8Array>>;

export interface PrimitiveCall {
  readonly name: string;
  /** Valid inputs. */
  readonly inputs: Arguments;
  /** Names and valid lengths of the outputs. */
  readonly outputs: Readonly<Record<string, number>>;
  /** Lengths that must be refused, by argument, all others being valid. */
  readonly refused: Readonly<Record<string, readonly number[]>>;
  /** Whether the same inputs give the same outputs. */
  readonly deterministic: boolean;
  run(given: Arguments): void;
}

/** `length` bytes that differ by `seed`; not random, so that failures repeat. */
export function patterned(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 37 + seed * 101 + 11) & 0xff);
}

/** @param seed Another seed gives other inputs to the same calls. */
export function callsOf(provider: Provider, seed: number): PrimitiveCall[] {
  const secret = patterned(32, seed + 1);
  const peer = new Uint8Array(32);
  provider.x25519Public(peer, patterned(32, seed + 2));
  const message = patterned(77, seed + 3);
  const verifyKey = new Uint8Array(32);
  provider.ed25519Public(verifyKey, secret);
  const signature = new Uint8Array(64);
  provider.ed25519Sign(signature, provider.ed25519Handle(secret), message);
  const calls: PrimitiveCall[] = [
    {
      name: 'randomBytes',
      inputs: {},
      outputs: { out: 48 },
      refused: {},
      deterministic: false,
      run: (given) => provider.randomBytes(given['out']!),
    },
    {
      name: 'sha256',
      inputs: { data: message },
      outputs: { out: 32 },
      refused: { out: [0, 31, 33] },
      deterministic: true,
      run: (given) => provider.sha256(given['out']!, given['data']!),
    },
    ...[0, 32, 65].map((keyBytes): PrimitiveCall => ({
      name: `hmacSha256 with a key of ${keyBytes} bytes`,
      inputs: { key: patterned(keyBytes, seed + 4), data: message },
      outputs: { out: 32 },
      refused: { out: [0, 31, 33] },
      deterministic: true,
      run: (given) => provider.hmacSha256(given['out']!, given['key']!, given['data']!),
    })),
    ...[0, 32].map((saltBytes): PrimitiveCall => ({
      name: `hkdfSha256 with a salt of ${saltBytes} bytes`,
      inputs: { salt: patterned(saltBytes, seed), ikm: secret, info: patterned(9, seed) },
      outputs: { out: 75 },
      refused: { out: [0, 255 * 32 + 1] },
      deterministic: true,
      run: (given) =>
        provider.hkdfSha256(given['out']!, given['salt']!, given['ikm']!, given['info']!),
    })),
    {
      name: 'x25519Public',
      inputs: { secret },
      outputs: { out: 32 },
      refused: { out: [0, 31, 33], secret: [0, 31, 33] },
      deterministic: true,
      run: (given) => provider.x25519Public(given['out']!, given['secret']!),
    },
    {
      name: 'x25519',
      inputs: { secret, peer },
      outputs: { out: 32 },
      refused: { out: [0, 31, 33], secret: [0, 31, 33], peer: [0, 31, 33] },
      deterministic: true,
      run: (given) => provider.x25519(given['out']!, given['secret']!, given['peer']!),
    },
    {
      name: 'x25519 with a handle',
      inputs: { secret, peer },
      outputs: { out: 32 },
      refused: { out: [0, 31, 33], secret: [0, 31, 33], peer: [0, 31, 33] },
      deterministic: true,
      run: (given) =>
        provider.x25519(given['out']!, provider.x25519Handle(given['secret']!), given['peer']!),
    },
    {
      name: 'ed25519Public',
      inputs: { secret },
      outputs: { out: 32 },
      refused: { out: [0, 31, 33], secret: [0, 31, 33, 64] },
      deterministic: true,
      run: (given) => provider.ed25519Public(given['out']!, given['secret']!),
    },
    {
      name: 'ed25519Sign',
      inputs: { secret, message },
      outputs: { signature: 64 },
      refused: { signature: [0, 63, 65], secret: [0, 31, 33, 64] },
      deterministic: true,
      run: (given) => {
        const key: KeyHandle = provider.ed25519Handle(given['secret']!);
        provider.ed25519Sign(given['signature']!, key, given['message']!);
      },
    },
    {
      name: 'ed25519Verify',
      inputs: { signature, verifyKey, message },
      outputs: {},
      refused: { signature: [0, 63, 65], verifyKey: [0, 31, 33] },
      deterministic: true,
      run: (given) => {
        accepted(
          provider.ed25519Verify(given['signature']!, given['verifyKey']!, given['message']!),
        );
      },
    },
  ];
  return [
    ...calls,
    chacha20Call(provider, seed),
    ...aeadCalls(provider, seed),
    ...kemCalls(provider, seed),
    ...groupCalls(provider, seed),
  ];
}

function chacha20Call(provider: Provider, seed: number): PrimitiveCall {
  return {
    name: 'chacha20',
    inputs: {
      key: patterned(32, seed + 5),
      nonce: patterned(12, seed + 6),
      data: patterned(115, seed + 8),
    },
    outputs: { out: 115 },
    refused: {
      key: [0, 16, 31, 33],
      nonce: [0, 8, 11, 13, 16, 24],
      out: [0, 114, 116, 131],
      data: [0, 114, 116],
    },
    deterministic: true,
    run: (given) =>
      provider.chacha20(given['out']!, given['key']!, given['nonce']!, given['data']!),
  };
}

function aeadCalls(provider: Provider, seed: number): PrimitiveCall[] {
  return Object.entries(provider.aead).flatMap(([name, aead]) => {
    const key = patterned(32, seed + 5);
    const nonce = patterned(12, seed + 6);
    const aad = patterned(21, seed + 7);
    const plaintext = patterned(115, seed + 8);
    const ciphertext = new Uint8Array(plaintext.length + 16);
    aead.seal(ciphertext, key, nonce, aad, plaintext);
    const refused = { key: [0, 16, 31, 33], nonce: [0, 8, 11, 13, 24] };
    return [
      {
        name: `${name} seal`,
        inputs: { key, nonce, aad, plaintext },
        outputs: { out: ciphertext.length },
        refused: { ...refused, out: [0, 115, 130, 132], plaintext: [0, 114, 116] },
        deterministic: true,
        run: (given) => {
          aead.seal(
            given['out']!,
            given['key']!,
            given['nonce']!,
            given['aad']!,
            given['plaintext']!,
          );
        },
      },
      {
        name: `${name} open`,
        inputs: { key, nonce, aad, ciphertext },
        outputs: { out: plaintext.length },
        refused: { ...refused, out: [0, 114, 116, 131], ciphertext: [0, 15, 16, 130, 132] },
        deterministic: true,
        run: (given) => {
          accepted(
            aead.open(
              given['out']!,
              given['key']!,
              given['nonce']!,
              given['aad']!,
              given['ciphertext']!,
            ),
          );
        },
      },
    ] satisfies PrimitiveCall[];
  });
}

function kemCalls(provider: Provider, seed: number): PrimitiveCall[] {
  return Object.entries(provider.kem).flatMap(([name, kem]) => {
    const secretKey = patterned(kem.secretKeyBytes, seed + 9);
    const publicKey = new Uint8Array(kem.publicKeyBytes);
    kem.publicKey(publicKey, secretKey);
    const randomness = patterned(kem.randomnessBytes, seed + 10);
    const ciphertext = new Uint8Array(kem.ciphertextBytes);
    kem.encapsulate(ciphertext, new Uint8Array(32), publicKey, randomness);
    const decapsulation = (form: 'bytes' | 'a handle'): PrimitiveCall => ({
      name: `${name} decapsulate with ${form}`,
      inputs: { secretKey, ciphertext },
      outputs: { sharedSecret: 32 },
      refused: {
        secretKey: around(kem.secretKeyBytes),
        ciphertext: around(kem.ciphertextBytes),
        sharedSecret: around(32),
      },
      deterministic: true,
      run: (given) => {
        const secret = given['secretKey']!;
        const key = form === 'bytes' ? secret : kem.handle(secret);
        kem.decapsulate(given['sharedSecret']!, key, given['ciphertext']!);
      },
    });
    return [
      {
        name: `${name} publicKey`,
        inputs: { secretKey },
        outputs: { publicKey: kem.publicKeyBytes },
        refused: {
          secretKey: around(kem.secretKeyBytes),
          publicKey: around(kem.publicKeyBytes),
        },
        deterministic: true,
        run: (given) => kem.publicKey(given['publicKey']!, given['secretKey']!),
      },
      {
        name: `${name} encapsulate`,
        inputs: { publicKey, randomness },
        outputs: { ciphertext: kem.ciphertextBytes, sharedSecret: 32 },
        refused: {
          publicKey: around(kem.publicKeyBytes),
          randomness: around(kem.randomnessBytes),
          ciphertext: around(kem.ciphertextBytes),
          sharedSecret: around(32),
        },
        deterministic: kem.derandomised,
        run: (given) => {
          kem.encapsulate(
            given['ciphertext']!,
            given['sharedSecret']!,
            given['publicKey']!,
            given['randomness']!,
          );
        },
      },
      decapsulation('bytes'),
      decapsulation('a handle'),
    ] satisfies PrimitiveCall[];
  });
}

function groupCalls(provider: Provider, seed: number): PrimitiveCall[] {
  const group = provider.ristretto255;
  if (group === undefined) return [];
  const [x, y] = [seed + 11, seed + 12].map((s) => {
    const scalar = new Uint8Array(32);
    group.scalarReduce(scalar, patterned(64, s));
    return scalar;
  }) as [Uint8Array, Uint8Array];
  const [a, b] = [x, y].map((scalar) => {
    const element = new Uint8Array(32);
    group.multiplyBase(element, scalar);
    return element;
  }) as [Uint8Array, Uint8Array];
  const wrong = around(32);
  const unary = (name: 'scalarInvert' | 'multiplyBase'): PrimitiveCall => ({
    name,
    inputs: { scalar: x },
    outputs: { out: 32 },
    refused: { out: wrong, scalar: wrong },
    deterministic: true,
    run: (given) => group[name](given['out']!, given['scalar']!),
  });
  const binary = (
    name: 'scalarAdd' | 'scalarSubtract' | 'scalarMultiply' | 'multiply' | 'add' | 'subtract',
    left: Uint8Array,
    right: Uint8Array,
  ): PrimitiveCall => ({
    name,
    inputs: { left, right },
    outputs: { out: 32 },
    refused: { out: wrong, left: wrong, right: wrong },
    deterministic: true,
    run: (given) => group[name](given['out']!, given['left']!, given['right']!),
  });
  return [
    {
      name: 'scalarReduce',
      inputs: { wide: patterned(64, seed + 13) },
      outputs: { out: 32 },
      refused: { out: wrong, wide: [0, 32, 63, 65] },
      deterministic: true,
      run: (given) => group.scalarReduce(given['out']!, given['wide']!),
    },
    binary('scalarAdd', x, y),
    binary('scalarSubtract', x, y),
    binary('scalarMultiply', x, y),
    unary('scalarInvert'),
    unary('multiplyBase'),
    binary('multiply', x, b),
    binary('add', a, b),
    binary('subtract', a, b),
  ];
}

/** No length at all, and one byte less and more. */
function around(length: number): number[] {
  return [0, length - 1, length + 1];
}

function accepted(valid: boolean): void {
  if (!valid) throw new Error('valid input was not accepted');
}
