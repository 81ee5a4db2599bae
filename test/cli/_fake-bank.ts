/** Preloaded with `--import`: the processes of a bank are made up; see _fake-bank-repeat.ts. */

import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, nextResolve) {
    const url = specifier.startsWith('.') ? new URL(specifier, context.parentURL).href : specifier;
    if (!url.endsWith('/src/runner/repeat.ts')) return nextResolve(specifier, context);
    return nextResolve(new URL('./_fake-bank-repeat.ts', import.meta.url).href, context);
  },
});
