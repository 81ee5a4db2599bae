/** Preloaded with `--import`: what a process costs is said by the provider's file; see _fake-side-repeat.ts. */

import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, nextResolve) {
    const url = specifier.startsWith('.') ? new URL(specifier, context.parentURL).href : specifier;
    if (!url.endsWith('/src/runner/repeat.ts')) return nextResolve(specifier, context);
    return nextResolve(new URL('./_fake-side-repeat.ts', import.meta.url).href, context);
  },
});
