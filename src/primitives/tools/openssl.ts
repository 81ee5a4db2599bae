/**
 * `openssl speed` of the system, whose OpenSSL is another than the one in Node: both versions are
 * kept with the figure.
 *
 * It derives again and again on one context that was made before, allocates nothing, and divides the
 * CPU that the process spent in user mode by the number of calls.
 *
 * @module
 */

import { execFile } from 'node:child_process';
import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import { promisify } from 'node:util';
import { HarnessError } from '../../core/errors.ts';
import type { OpenTool, Tool } from '../tool.ts';

/** It takes whole seconds. */
const SECONDS = 1;
const ROUNDS = 4;
const TIMEOUT_MS = 60_000;

/** Ours by name, and what `openssl speed` calls it. */
const ALGORITHMS: Readonly<Record<string, string>> = { 'x25519-handle': 'ecdhx25519' };

const openssl: Tool = {
  name: 'openssl',
  title: "openssl speed of the system: one derivation after the other, in C, by the process's CPU",
  rounds: ROUNDS,
  compared: 'cpu',
  async open({ name }, implementation) {
    const algorithm = ALGORITHMS[name];
    if (algorithm === undefined) {
      const known = Object.keys(ALGORITHMS).join(', ');
      throw new HarnessError('UNSUPPORTED', `openssl speed is set beside ${known} only`);
    }
    const version = await runOpenssl(['version']);
    return {
      version: `${version.stdout.trim()}, beside OpenSSL ${process.versions.openssl} in Node`,
      async measure() {
        const { stdout } = await runOpenssl(['speed', '-mr', '-seconds', `${SECONDS}`, algorithm]);
        const perSecond = callsPerSecond(stdout);
        return {
          valueNs: 1e9 / perSecond,
          statistic: 'mean CPU of a call in user mode, over a second',
          samples: 1,
          callsPerSample: Math.round(perSecond * SECONDS),
          onThisThread: false,
        };
      },
      ...(implementation.name === 'node' ? { parts: partsOfAgreement() } : {}),
    };
  },
};
export default openssl;

async function runOpenssl(options: readonly string[]): Promise<{ readonly stdout: string }> {
  try {
    return await promisify(execFile)('openssl', options, { timeout: TIMEOUT_MS });
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new HarnessError(
      'UNAVAILABLE',
      isMissing
        ? 'openssl is not on the PATH; install it, for example with: apt-get install openssl'
        : `openssl speed failed: ${reason}`,
    );
  }
}

/**
 * Of the machine-readable form, `+F5:number:bits:operations per second:seconds`.
 *
 * @throws HarnessError UNAVAILABLE when there is none: another version writes something else.
 */
export function callsPerSecond(output: string): number {
  const [, , , perSecond] = /^\+F5:.*$/m.exec(output)?.[0].split(':') ?? [];
  const value = Number(perSecond);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new HarnessError(
    'UNAVAILABLE',
    'openssl speed printed no line +F5 with operations per second; OpenSSL 3 does',
  );
}

/** RFC 7748 §6.1. */
const ALICE_SECRET = '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a';
const BOB_PUBLIC = 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f';

/** What the provider `node` does in one agreement with a handle, but for copying 32 bytes. */
function partsOfAgreement(): NonNullable<OpenTool['parts']> {
  const privateKey = createPrivateKey({
    key: Buffer.from(ALICE_SECRET, 'hex'),
    format: 'raw-private',
    asymmetricKeyType: 'x25519',
  });
  const peer = {
    key: Buffer.from(BOB_PUBLIC, 'hex'),
    format: 'raw-public',
    asymmetricKeyType: 'x25519',
  } as const;
  const publicKey = createPublicKey(peer);
  return {
    'diffieHellman of two key objects': () => diffieHellman({ privateKey, publicKey }),
    'import of the public key': () => createPublicKey(peer),
  };
}
