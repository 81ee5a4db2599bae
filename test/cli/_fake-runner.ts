/**
 * Preloaded with `--import`: replaces the child processes of repeats by records made up at once, so
 * that tests of the command line need no measurement.
 *
 * FAKE_STATUSES is JSON, pipeline to status; what it does not name is `ok`. FAKE_REPEAT_MS is how
 * long a repeat takes. With FAKE_NOISE every other repeat costs so many times more.
 * FAKE_SPREADS is JSON, pipeline to the deviation of the logarithm of its cost over repeats; with
 * FAKE_FRESH a repeat that is asked for again costs something else.
 *
 * @module
 */

import { registerHooks } from 'node:module';

const FAKES: Readonly<Record<string, string>> = {
  '/src/runner/repeat.ts': './_fake-repeat.ts',
  '/src/runner/calibrate.ts': './_fake-calibrate.ts',
};

registerHooks({
  resolve(specifier, context, nextResolve) {
    const url = specifier.startsWith('.') ? new URL(specifier, context.parentURL).href : specifier;
    for (const [real, fake] of Object.entries(FAKES)) {
      if (url.endsWith(real)) return nextResolve(new URL(fake, import.meta.url).href, context);
    }
    return nextResolve(specifier, context);
  },
});
