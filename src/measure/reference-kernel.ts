/**
 * The reference kernel: fixed work that every block does, to notice a neighbour.
 *
 * A neighbour on the same core slows it without taking it away, so that CPU time grows while run
 * delay and steal stay at nothing. Work that never changes shows it: a block whose kernel deviates
 * from the repeat's median is contaminated. The kernel detects; nothing is divided by it, because a
 * neighbour does not slow every operation alike.
 *
 * The work comes from `node:crypto`, whatever the provider under test: only providers import
 * cryptographic packages otherwise, but a kernel over a provider would load a second one, into the
 * memory and the compiled code of the one that is measured.
 *
 * @module
 */

import { createPrivateKey, createPublicKey, diffieHellman, hash } from 'node:crypto';
import { fromHex } from '../core/bytes.ts';
import { readThreadCpuNs } from './cpu.ts';

const HASHES = 50;
/** Chosen so that the kernel takes about 200 us where an X25519 takes 35 us. */
const HASHED_BYTES = 4096;

/** Alice's and Bob's keys of RFC 7748 section 6.1. */
const ALICE_PRIVATE = '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a';
const ALICE_PUBLIC = '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a';
const BOB_PUBLIC = 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f';

/**
 * One X25519 between imported keys and 50 SHA-256 of 4 KiB, the same input every time.
 *
 * @returns The kernel; a call runs it once and returns the CPU it took, in ns, with one reading of
 *   the CPU in it.
 */
export function createReferenceKernel(): () => number {
  const privateKey = createPrivateKey({
    format: 'jwk',
    key: { kty: 'OKP', crv: 'X25519', d: base64Url(ALICE_PRIVATE), x: base64Url(ALICE_PUBLIC) },
  });
  const publicKey = createPublicKey({
    format: 'jwk',
    key: { kty: 'OKP', crv: 'X25519', x: base64Url(BOB_PUBLIC) },
  });
  const input = Uint8Array.from({ length: HASHED_BYTES }, (_, at) => at);

  return function runKernel(): number {
    const startNs = readThreadCpuNs();
    diffieHellman({ privateKey, publicKey });
    // Hexadecimal, because a string is collected more cheaply than a Buffer: 0.5 us a call.
    for (let i = 0; i < HASHES; i++) hash('sha256', input, 'hex');
    return readThreadCpuNs() - startNs;
  };
}

function base64Url(hex: string): string {
  return fromHex(hex).toBase64({ alphabet: 'base64url', omitPadding: true });
}
