/**
 * Key encapsulation, for every KEM. Private keys are in seed form, as everywhere in this program, so
 * that each decapsulation expands one.
 *
 * @module
 */

import { concatBytes, equalBytes } from '../../core/bytes.ts';
import { HarnessError } from '../../core/errors.ts';
import type { SeededRandom } from '../../core/random.ts';
import type { Kem, KemName, Provider } from '../../crypto/provider.ts';
import { COSTLY_INPUTS_MAX, drawBytes } from '../draws.ts';
import type { KnownAnswer } from '../known-answers.ts';
import { KEM_ANSWERS, type KemAnswer } from '../known-kem-answers.ts';
import {
  defineOperation,
  type Implementation,
  type Operation,
  type WebCrypto,
} from '../operation.ts';
import { owned, type ImportedKey } from '../webcrypto-keys.ts';

/** `randomness` is what encapsulation draws, where an implementation lets it be given. */
interface KemInputs {
  readonly secretKey: Uint8Array;
  readonly randomness: Uint8Array;
  /** Where it is left out, one is made while binding. */
  readonly ciphertext?: Uint8Array;
}

interface KemShape {
  readonly title: string;
  readonly secretKeyBytes: number;
  readonly randomnessBytes: number;
  readonly publicKeyBytes: number;
  readonly ciphertextBytes: number;
  /** Its name in WebCrypto, or why it is not there. */
  readonly webCrypto: WebCryptoKem | { readonly missing: string };
}

type WebCryptoKem = 'ML-KEM-768' | 'ML-KEM-1024';

/** FIPS 203 §8, table 3; draft-connolly-cfrg-xwing-kem-10 §5.1. */
const SHAPES: Readonly<Record<KemName, KemShape>> = {
  'ml-kem-768': {
    title: 'ML-KEM-768 (FIPS 203)',
    secretKeyBytes: 64,
    randomnessBytes: 32,
    publicKeyBytes: 1184,
    ciphertextBytes: 1088,
    webCrypto: 'ML-KEM-768',
  },
  'ml-kem-1024': {
    title: 'ML-KEM-1024 (FIPS 203)',
    secretKeyBytes: 64,
    randomnessBytes: 32,
    publicKeyBytes: 1568,
    ciphertextBytes: 1568,
    webCrypto: 'ML-KEM-1024',
  },
  'x-wing': {
    title: 'X-Wing (draft-connolly-cfrg-xwing-kem-10)',
    secretKeyBytes: 32,
    randomnessBytes: 64,
    publicKeyBytes: 1216,
    ciphertextBytes: 1120,
    webCrypto: { missing: 'it has no X-Wing' },
  },
};

const SHARED_BYTES = 32;

/** The public key of a seed: what making a key pair costs. */
export function deriving(name: KemName): Operation {
  const shape = SHAPES[name];
  const { webCrypto } = shape;
  return defineOperation<KemInputs>({
    name: `${name}-public`,
    title: `${shape.title}: key pair from a seed, to its public key`,
    primitive: name,
    length: { of: 'shared secret', fixedBytes: SHARED_BYTES },
    known: [{ ...known(name), output: KEM_ANSWERS[name].publicKey }],
    inputsMax: COSTLY_INPUTS_MAX,
    draw: drawer(name),
    outputBytes: () => shape.publicKeyBytes,
    bind(provider, { secretKey }, out) {
      const kem = kemOf(provider, name);
      return () => {
        kem.publicKey(out, secretKey);
        return out;
      };
    },
    webCrypto:
      typeof webCrypto !== 'string'
        ? webCrypto
        : {
            awaited: true,
            async bind({ subtle }, { secretKey }) {
              return async () => {
                const publicKey = await importPublic(subtle, webCrypto, secretKey);
                return new Uint8Array(await subtle.exportKey('raw-public', publicKey));
              };
            },
          },
  });
}

/** Puts out the ciphertext followed by the shared secret; of WebCrypto's, the shared secret. */
export function encapsulating(name: KemName): Operation {
  const shape = SHAPES[name];
  const { webCrypto } = shape;
  return defineOperation<KemInputs>({
    name: `${name}-encapsulate`,
    title: `${shape.title}: encapsulate to a public key in bytes`,
    primitive: name,
    length: { of: 'shared secret', fixedBytes: SHARED_BYTES },
    known: [{ ...known(name), ...encapsulated(KEM_ANSWERS[name]) }],
    inputsMax: COSTLY_INPUTS_MAX,
    draw: drawer(name),
    outputBytes: () => shape.ciphertextBytes + SHARED_BYTES,
    bind(provider, { secretKey, randomness }, out) {
      const kem = kemOf(provider, name);
      const publicKey = new Uint8Array(shape.publicKeyBytes);
      kem.publicKey(publicKey, secretKey);
      const ciphertext = out.subarray(0, shape.ciphertextBytes);
      const sharedSecret = out.subarray(shape.ciphertextBytes);
      return () => {
        kem.encapsulate(ciphertext, sharedSecret, publicKey, randomness);
        return out;
      };
    },
    randomised: {
      is: (implementation) => drawsItself(implementation, name),
      confirm: (implementation, { secretKey }, output) =>
        implementation.kind === 'provider'
          ? undoes(kemOf(implementation.provider, name), secretKey, output)
          : roundTrips(implementation, webCrypto, secretKey, output),
    },
    webCrypto:
      typeof webCrypto !== 'string'
        ? webCrypto
        : {
            awaited: true,
            async bind({ subtle }, { secretKey }) {
              const publicKey = await importPublic(subtle, webCrypto, secretKey);
              const algorithm = { name: webCrypto };
              return async () => {
                const { sharedKey } = await subtle.encapsulateBits(algorithm, publicKey);
                return new Uint8Array(sharedKey);
              };
            },
          },
  });
}

export function decapsulating(name: KemName): Operation {
  const shape = SHAPES[name];
  const { webCrypto } = shape;
  return defineOperation<KemInputs>({
    name: `${name}-decapsulate`,
    title: `${shape.title}: decapsulate with a private key in seed form`,
    primitive: name,
    length: { of: 'shared secret', fixedBytes: SHARED_BYTES },
    known: [{ ...known(name), output: KEM_ANSWERS[name].sharedSecret }],
    inputsMax: COSTLY_INPUTS_MAX,
    draw: drawer(name),
    outputBytes: () => SHARED_BYTES,
    setUpIsRandom: (implementation) => drawsItself(implementation, name),
    bind(provider, { secretKey, randomness, ciphertext: given }, out) {
      const kem = kemOf(provider, name);
      const ciphertext = given ?? new Uint8Array(shape.ciphertextBytes);
      if (given === undefined) {
        const publicKey = new Uint8Array(shape.publicKeyBytes);
        kem.publicKey(publicKey, secretKey);
        kem.encapsulate(ciphertext, new Uint8Array(SHARED_BYTES), publicKey, randomness);
      }
      return () => {
        kem.decapsulate(out, secretKey, ciphertext);
        return out;
      };
    },
    webCrypto:
      typeof webCrypto !== 'string'
        ? webCrypto
        : {
            awaited: true,
            async bind({ subtle }, { secretKey, ciphertext: given }) {
              const algorithm = { name: webCrypto };
              const key = await importSecret(subtle, webCrypto, secretKey);
              const publicKey = await importPublic(subtle, webCrypto, secretKey);
              const ciphertext = given
                ? owned(given)
                : (await subtle.encapsulateBits(algorithm, publicKey)).ciphertext;
              return async () =>
                new Uint8Array(await subtle.decapsulateBits(algorithm, key, ciphertext));
            },
          },
  });
}

function known(name: KemName): { readonly source: string; readonly inputs: KemInputs } {
  const { source, secretKey, ciphertext, randomness } = KEM_ANSWERS[name];
  const zeros = new Uint8Array(SHAPES[name].randomnessBytes);
  return { source, inputs: { secretKey, ciphertext, randomness: randomness ?? zeros } };
}

/** Where the randomness is not published, what comes of it is decapsulated instead. */
function encapsulated({
  ciphertext,
  sharedSecret,
  randomness,
}: KemAnswer): Pick<KnownAnswer<KemInputs>, 'output'> {
  return randomness === undefined ? {} : { output: concatBytes(ciphertext, sharedSecret) };
}

function drawer(name: KemName): (random: SeededRandom) => KemInputs {
  const { secretKeyBytes, randomnessBytes } = SHAPES[name];
  return (random) => ({
    secretKey: drawBytes(random, secretKeyBytes),
    randomness: drawBytes(random, randomnessBytes),
  });
}

function kemOf(provider: Provider, name: KemName): Kem {
  const kem = provider.kem[name];
  if (kem === undefined) throw new HarnessError('UNSUPPORTED', `${provider.name} has no ${name}`);
  return kem;
}

/** Whether it takes no randomness from outside to encapsulate. */
function drawsItself(implementation: Implementation, name: KemName): boolean {
  return implementation.kind === 'webcrypto' || !kemOf(implementation.provider, name).derandomised;
}

/** Whether the ciphertext in `output` decapsulates to the shared secret after it. */
function undoes(kem: Kem, secretKey: Uint8Array, output: Uint8Array): boolean {
  const sharedSecret = new Uint8Array(SHARED_BYTES);
  kem.decapsulate(sharedSecret, secretKey, output.subarray(0, kem.ciphertextBytes));
  return equalBytes(sharedSecret, output.subarray(kem.ciphertextBytes));
}

/** The ciphertext of a timed call is not kept, so another one is made and undone. */
async function roundTrips(
  implementation: Implementation,
  webCrypto: KemShape['webCrypto'],
  secretKey: Uint8Array,
  output: Uint8Array,
): Promise<boolean> {
  if (implementation.kind !== 'webcrypto' || typeof webCrypto !== 'string') return false;
  const { subtle } = implementation.webCrypto;
  const algorithm = { name: webCrypto };
  const publicKey = await importPublic(subtle, webCrypto, secretKey);
  const { sharedKey, ciphertext } = await subtle.encapsulateBits(algorithm, publicKey);
  const key = await importSecret(subtle, webCrypto, secretKey);
  const undone = new Uint8Array(await subtle.decapsulateBits(algorithm, key, ciphertext));
  const isSecret = output.length === SHARED_BYTES && output.some((byte) => byte !== output[0]);
  return isSecret && equalBytes(undone, new Uint8Array(sharedKey));
}

function importSecret(
  subtle: WebCrypto['subtle'],
  name: WebCryptoKem,
  seed: Uint8Array,
): Promise<ImportedKey> {
  return subtle.importKey('raw-seed', owned(seed), name, true, ['decapsulateBits']);
}

async function importPublic(
  subtle: WebCrypto['subtle'],
  name: WebCryptoKem,
  seed: Uint8Array,
): Promise<ImportedKey> {
  return subtle.getPublicKey(await importSecret(subtle, name, seed), ['encapsulateBits']);
}
