/**
 * Child process: a relay, controlled over IPC. Signals of a terminal are for the parent, which says
 * when to stop; a parent that is gone stops it too.
 *
 * @module
 */

import { rm } from 'node:fs/promises';
import { loadByName } from '../src/core/discover.ts';
import { HarnessError } from '../src/core/errors.ts';
import { fromHex } from '../src/core/bytes.ts';
import { PIPELINES_DIR, PROVIDERS_DIR } from '../src/core/paths.ts';
import type { ProviderModule } from '../src/crypto/provider.ts';
import { providerRandomness } from '../src/crypto/randomness.ts';
import type { Pipeline } from '../src/pipelines/_pipeline.ts';
import type { RelayOrder, RelayReport } from '../src/relay/control.ts';
import { startRelay, type OpenRole, type Relay } from '../src/relay/relay.ts';
import type { RelaySettings, RoleSettings } from '../src/relay/settings.ts';

/** More than any pipeline adds at the relay: a seal at rest. */
const ROLE_ROOM_BYTES = 256;

let relay: Relay | undefined;
let store: RelaySettings['store'] | undefined;

process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('disconnect', () => void stop());
process.on('message', (message: RelayOrder) => void obey(message));

async function obey(message: RelayOrder): Promise<void> {
  if (message.order === 'start') await start(message.settings);
  else if (message.order === 'stop') await stop();
  else if (relay !== undefined) send({ report: 'snapshot', snapshot: relay.snapshot() });
}

async function start(settings: RelaySettings): Promise<void> {
  try {
    const { role } = settings;
    store = settings.store;
    relay = await startRelay(settings, role === undefined ? undefined : await loadRole(role));
    send({ report: 'ready', ready: relay.ready });
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    send({ report: 'failed', code: error.code, message: error.message });
    process.disconnect?.();
  }
}

async function stop(): Promise<void> {
  await relay?.stop();
  if (store?.kind === 'sqlite' && store.isTemporary === true) {
    await rm(store.folder, { recursive: true, force: true });
  }
  process.exit(0);
}

/** The pipeline's relay role, as the server's opaque handler. */
async function loadRole(settings: RoleSettings): Promise<OpenRole> {
  const { options, secretHex } = settings;
  const pipeline = await loadByName<Pipeline>(PIPELINES_DIR, settings.pipeline, 'pipeline');
  const module = await loadByName<ProviderModule>(PROVIDERS_DIR, settings.provider, 'provider');
  const provider = await module.load(pipeline.needs);
  return (wrappedKeys) => {
    const role = pipeline.openRelay({
      provider,
      randomness: providerRandomness(provider),
      secret: fromHex(secretHex),
      options,
      wrappedKeys,
    });
    return {
      roomBytes: ROLE_ROOM_BYTES,
      isReadable: pipeline.family === 'plaintext-relay',
      accept: role.accept.bind(role),
      deliver: role.deliver.bind(role),
      handOver: role.handOver.bind(role),
    };
  };
}

function send(report: RelayReport): void {
  process.send?.(report);
}
