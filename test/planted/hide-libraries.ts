/** Preloaded into a process, as if no optional library were installed. */

import { registerHooks } from 'node:module';

const HIDDEN =
  /^(?:@signalapp\/libsignal-client|@matrix-org\/olm|@hpke\/core|shamir-secret-sharing)$/;

registerHooks({
  resolve(specifier, context, next) {
    if (!HIDDEN.test(specifier)) return next(specifier, context);
    const error = new Error(`Cannot find package '${specifier}'`);
    throw Object.assign(error, { code: 'ERR_MODULE_NOT_FOUND' });
  },
});
