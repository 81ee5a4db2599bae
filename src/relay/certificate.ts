/**
 * A certificate for one start of a relay: P-256, self-signed, for the loopback names, valid two days.
 *
 * The `openssl` program writes it. Node has no writer of X.509; libraries that have one bring twenty
 * packages for what is done once, and the relay imports no cryptography. The key is passed through a
 * pipe and touches no disk.
 *
 * @module
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { HarnessError } from '../core/errors.ts';

export interface Certificate {
  /** PEM. */
  readonly key: string;
  readonly certificate: string;
}

const COMMAND =
  'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost ' +
  '-addext subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1 -keyout - -out -';

/** @throws HarnessError UNAVAILABLE where there is no openssl, with what to do. */
export async function makeCertificate(): Promise<Certificate> {
  let output: string;
  try {
    output = (await promisify(execFile)('openssl', COMMAND.split(' '))).stdout;
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new HarnessError(
      'UNAVAILABLE',
      isMissing
        ? 'TLS needs a certificate, and there is no openssl to make one: install it (apt-get install openssl), or choose no TLS'
        : 'openssl did not make a certificate; see whether "openssl req -x509" works',
    );
  }
  return { key: block(output, 'PRIVATE KEY'), certificate: block(output, 'CERTIFICATE') };
}

function block(pem: string, label: string): string {
  const found = new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`).exec(pem)?.[0];
  if (found === undefined) {
    throw new HarnessError('UNAVAILABLE', `openssl printed no ${label.toLowerCase()}`);
  }
  return `${found}\n`;
}
