/**
 * `webcrypto`: the platform's own `crypto.subtle`, as browsers have it; on Node it is OpenSSL behind
 * a queue of background threads.
 *
 * It is no provider, because its calls are asynchronous: pipelines cannot run on it. Its operations
 * are awaited one at a time, and its CPU is that of the process.
 *
 * @module
 */

import { HarnessError } from '../../core/errors.ts';
import type { ImplementationModule } from '../operation.ts';

const webcrypto: ImplementationModule = {
  name: 'webcrypto',
  title: 'crypto.subtle of the platform, asynchronous, awaited one call at a time',
  licence: 'Apache-2.0 (OpenSSL)',
  caveats: [
    'Calls run on background threads and are awaited one at a time: the time is that of a round trip, and CPU is that of the process.',
    'Keys are CryptoKey handles, imported before the clock runs, where other implementations take bytes; x25519 imports both keys and ml-kem-*-public the seed at each call.',
    'x25519-handle has a handle for the public key too; the other implementations import that at each call.',
    'Every result is a fresh ArrayBuffer.',
  ],
  async load() {
    const { crypto: webCrypto } = globalThis;
    if (typeof webCrypto?.subtle?.digest !== 'function') {
      throw new HarnessError('UNAVAILABLE', 'this platform has no crypto.subtle; run with Node 26');
    }
    const version = `Node ${process.version} (OpenSSL ${process.versions.openssl})`;
    return { kind: 'webcrypto', name: 'webcrypto', version, webCrypto };
  },
};
export default webcrypto;
