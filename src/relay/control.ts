/**
 * What a process that runs a relay and the one that started it say to each other, over the channel of
 * `child_process`: first the settings, then orders; each snapshot is answered in turn.
 *
 * @module
 */

import type { ErrorCode } from '../core/errors.ts';
import type { RelayReady, RelaySettings, RelaySnapshot } from './settings.ts';

export type RelayOrder =
  | { readonly order: 'start'; readonly settings: RelaySettings }
  | { readonly order: 'snapshot' }
  | { readonly order: 'stop' };

export type RelayReport =
  | { readonly report: 'ready'; readonly ready: RelayReady }
  /** It cannot run with these settings. */
  | { readonly report: 'failed'; readonly code: ErrorCode; readonly message: string }
  | { readonly report: 'snapshot'; readonly snapshot: RelaySnapshot };
