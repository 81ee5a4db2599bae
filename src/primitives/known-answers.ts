/**
 * Published answers, which an implementation must reproduce in the process that times it, before any
 * clock runs. A few each: the conformance tests of providers hold the rest.
 *
 * @module
 */

import { concatBytes, fromHex, utf8 } from '../core/bytes.ts';
import type { AeadName } from '../crypto/provider.ts';

/** A published answer. */
export interface KnownAnswer<Inputs> {
  /** The specification and its section. */
  readonly source: string;
  readonly inputs: Inputs;
  /** Left out where what comes of the inputs is random: it is then undone and compared. */
  readonly output?: Uint8Array;
}

/** FIPS 180-4, with the examples of NIST: no block, one, several. */
export const SHA256_ANSWERS: readonly KnownAnswer<{ readonly message: Uint8Array }>[] = [
  {
    source: 'FIPS 180-4, the empty message',
    inputs: { message: utf8('') },
    output: fromHex('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'),
  },
  {
    source: 'FIPS 180-4, "abc"',
    inputs: { message: utf8('abc') },
    output: fromHex('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'),
  },
  {
    source: 'FIPS 180-4, the message of 448 bits',
    inputs: { message: utf8('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq') },
    output: fromHex('248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1'),
  },
  {
    source: 'FIPS 180-4, a million times "a"',
    inputs: { message: new Uint8Array(1_000_000).fill(0x61) },
    output: fromHex('cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'),
  },
];

export const HMAC_ANSWERS: readonly KnownAnswer<{
  readonly key: Uint8Array;
  readonly data: Uint8Array;
}>[] = [
  {
    source: 'RFC 4231 §4.2',
    inputs: { key: new Uint8Array(20).fill(0x0b), data: utf8('Hi There') },
    output: fromHex('b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'),
  },
  {
    source: 'RFC 4231 §4.7, a key longer than a block',
    inputs: {
      key: new Uint8Array(131).fill(0xaa),
      data: utf8('Test Using Larger Than Block-Size Key - Hash Key First'),
    },
    output: fromHex('60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54'),
  },
];

export const HKDF_ANSWERS: readonly KnownAnswer<{
  readonly salt: Uint8Array;
  readonly ikm: Uint8Array;
  readonly info: Uint8Array;
  readonly bytes: number;
}>[] = [
  {
    source: 'RFC 5869 A.1',
    inputs: {
      ikm: new Uint8Array(22).fill(0x0b),
      salt: fromHex('000102030405060708090a0b0c'),
      info: fromHex('f0f1f2f3f4f5f6f7f8f9'),
      bytes: 42,
    },
    output: fromHex(
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    ),
  },
];

export interface X25519Inputs {
  readonly secret: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** RFC 7748 §6.1. */
const ALICE = {
  secret: fromHex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a'),
  publicKey: fromHex('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a'),
};
const BOB = {
  secret: fromHex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'),
  publicKey: fromHex('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'),
};

export const X25519_ANSWERS: readonly KnownAnswer<X25519Inputs>[] = [
  {
    source: 'RFC 7748 §5.2, the first vector',
    inputs: {
      secret: fromHex('a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4'),
      publicKey: fromHex('e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c'),
    },
    output: fromHex('c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552'),
  },
  {
    source: 'RFC 7748 §6.1',
    inputs: { secret: ALICE.secret, publicKey: BOB.publicKey },
    output: fromHex('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742'),
  },
];

export const X25519_BASE_ANSWERS: readonly KnownAnswer<{ readonly secret: Uint8Array }>[] = [
  {
    source: 'RFC 7748 §6.1, the first key pair',
    inputs: { secret: ALICE.secret },
    output: ALICE.publicKey,
  },
  {
    source: 'RFC 7748 §6.1, the second key pair',
    inputs: { secret: BOB.secret },
    output: BOB.publicKey,
  },
];

export const ED25519_ANSWERS: readonly {
  readonly source: string;
  readonly seed: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}[] = [
  {
    source: 'RFC 8032 §7.1, TEST 1',
    seed: fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'),
    publicKey: fromHex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'),
    message: utf8(''),
    signature: fromHex(
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155' +
        '5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    ),
  },
  {
    source: 'RFC 8032 §7.1, TEST 3',
    seed: fromHex('c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7'),
    publicKey: fromHex('fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025'),
    message: fromHex('af82'),
    signature: fromHex(
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac' +
        '18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    ),
  },
];

export interface AeadInputs {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly aad: Uint8Array;
  readonly plaintext: Uint8Array;
}

/** The encrypted text is followed by the tag. */
export const AEAD_ANSWERS: Readonly<
  Record<
    AeadName,
    readonly {
      readonly source: string;
      readonly inputs: AeadInputs;
      readonly ciphertext: Uint8Array;
    }[]
  >
> = {
  'chacha20-poly1305': [
    {
      source: 'RFC 8439 §2.8.2',
      inputs: {
        key: fromHex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f'),
        nonce: fromHex('070000004041424344454647'),
        aad: fromHex('50515253c0c1c2c3c4c5c6c7'),
        plaintext: utf8(
          "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the " +
            'future, sunscreen would be it.',
        ),
      },
      ciphertext: fromHex(
        'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6' +
          '3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36' +
          '92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc' +
          '3ff4def08e4b7a9de576d26586cec64b6116' +
          '1ae10b594f09e26a7e902ecbd0600691',
      ),
    },
  ],
  'aes-256-gcm': [
    {
      source: 'test case 16 of McGrew and Viega, "The Galois/Counter Mode of Operation (GCM)"',
      inputs: {
        key: fromHex('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308'),
        nonce: fromHex('cafebabefacedbaddecaf888'),
        aad: fromHex('feedfacedeadbeeffeedfacedeadbeefabaddad2'),
        plaintext: fromHex(
          'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72' +
            '1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
        ),
      },
      ciphertext: fromHex(
        '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa' +
          '8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662' +
          '76fc6ece0f4e1768cddf8853bb2d551b',
      ),
    },
  ],
};

/** RFC 8439 A.1, test vectors 1 and 2: the key stream of blocks 0 and 1, as encrypted zeros. */
export const CHACHA20_ANSWERS: readonly KnownAnswer<{
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly data: Uint8Array;
}>[] = [
  {
    source: 'RFC 8439 A.1, vectors 1 and 2',
    inputs: { key: new Uint8Array(32), nonce: new Uint8Array(12), data: new Uint8Array(128) },
    output: fromHex(
      '76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7' +
        'da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586' +
        '9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed' +
        '29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f',
    ),
  },
];

/** An element is given by its own scalar, by which the generator is multiplied while binding. */
export interface MultiplyInputs {
  readonly scalar: Uint8Array;
  readonly elementScalar: Uint8Array;
}

/** RFC 9496 A.1: small multiples of the generator. */
const MULTIPLES: Readonly<Record<1 | 2 | 6, Uint8Array>> = {
  1: fromHex('e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76'),
  2: fromHex('6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919'),
  6: fromHex('f64746d3c92b13050ed8d80236a7f0007c3b3f962f5ba793d19a601ebb1df403'),
};

/** Little-endian. */
const scalar = (value: number): Uint8Array => concatBytes(Uint8Array.of(value), new Uint8Array(31));

export const RISTRETTO_ANSWERS: {
  readonly base: readonly KnownAnswer<{ readonly scalar: Uint8Array }>[];
  readonly multiply: readonly KnownAnswer<MultiplyInputs>[];
} = {
  base: [1, 2, 6].map((value) => ({
    source: `RFC 9496 A.1, ${value}`,
    inputs: { scalar: scalar(value) },
    output: MULTIPLES[value as keyof typeof MULTIPLES],
  })),
  multiply: [
    {
      source: 'RFC 9496 A.1, 3 times 2',
      inputs: { scalar: scalar(3), elementScalar: scalar(2) },
      output: MULTIPLES[6],
    },
  ],
};
