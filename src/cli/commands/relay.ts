/** `relay`: runs the relay server until it is told to stop. */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fromHex, toHex } from '../../core/bytes.ts';
import { loadByName } from '../../core/discover.ts';
import { badInput } from '../../core/errors.ts';
import { PROVIDERS_DIR } from '../../core/paths.ts';
import type { ProviderModule } from '../../crypto/provider.ts';
import { providerRandomness } from '../../crypto/randomness.ts';
import { PackedMembers } from '../../pipelines/_members.ts';
import type { Options, Pipeline } from '../../pipelines/_pipeline.ts';
import { TLS_GROUPS, type RelayReady, type RelaySettings } from '../../relay/settings.ts';
import { DURABILITIES } from '../../relay/sqlite-store.ts';
import { loadPipelines } from '../../runner/pipelines-info.ts';
import { startRelayProcess } from '../../runner/relay-process.ts';
import { parseName } from '../../suite/names.ts';
import { resolvePipeline } from '../../suite/plan.ts';
import { defineCommand, EXIT, type Command } from '../command.ts';
import { Interruption } from '../interruption.ts';

const SECRET_FILE = 'relay.secret';

const relay: Command = defineCommand({
  name: 'relay',
  summary: 'Run the relay: mailboxes over HTTP, with TLS 1.3, in memory or in SQLite',
  details: [
    'Frames are opaque unless --pipeline names one whose relay seals or reads them: its relay role',
    'is built from a secret, which is made at the first start and kept in --secret. TLS is the hop,',
    'so hop=none. docs/RELAY.md describes the API, what durable means, and the limits.',
    '',
    'Ctrl-C or SIGTERM: takes nothing new, answers and commits what has come, and exits with 0; a',
    'second one ends it at once, with 130 or 143.',
  ].join('\n'),
  positionals: {},
  options: {
    host: {
      kind: 'text',
      placeholder: 'ADDRESS',
      summary: 'to listen on; 127.0.0.1 when left out',
    },
    port: { kind: 'integer', min: 0, max: 65_535, summary: 'any that is free when left out' },
    tls: {
      kind: 'choice',
      values: [...TLS_GROUPS, 'none'],
      summary: 'key exchange of TLS 1.3; X25519 when left out',
    },
    data: {
      kind: 'text',
      placeholder: 'FOLDER',
      summary: 'keep frames there, in SQLite; in memory when left out',
    },
    durability: {
      kind: 'choice',
      values: DURABILITIES,
      summary: 'of --data: answers after the disk has it (full, the default), or before (normal)',
    },
    pipeline: {
      kind: 'text',
      placeholder: 'NAME[:OPTIONS]',
      summary: 'whose relay role works on what passes, as in at-rest-scoped:rest=user-day',
    },
    provider: { kind: 'text', placeholder: 'NAME', summary: 'of that role; node when left out' },
    secret: {
      kind: 'text',
      placeholder: 'FILE',
      summary: `of that role; ${SECRET_FILE} in --data when left out`,
    },
    'anonymous-senders': { kind: 'flag', summary: 'take frames whose sender is not named' },
    scan: {
      kind: 'list',
      placeholder: 'WORD',
      summary: 'count messages with it; readable ones only',
    },
    search: { kind: 'flag', summary: 'keep an index for searching; readable messages only' },
    'lifetime-hours': {
      kind: 'integer',
      min: 1,
      max: 24 * 365,
      summary: 'a frame that nobody fetched is gone after this; 720 when left out',
    },
    json: {
      kind: 'flag',
      summary: 'say where it listens as one line of JSON, certificate included',
    },
  },
  examples: [
    'relay',
    'relay --port 8443 --tls X25519MLKEM768 --data ./mail',
    'relay --tls none --pipeline at-rest-scoped --data ./mail',
  ],
  async run({ options, output }) {
    const { data, durability, pipeline, provider = 'node', tls = 'X25519' } = options;
    if (durability !== undefined && data === undefined) {
      throw badInput('relay: --durability is of --data; frames in memory have none');
    }
    if (
      pipeline === undefined &&
      (options.secret !== undefined || options.provider !== undefined)
    ) {
      throw badInput('relay: --secret and --provider are of --pipeline, which is not given');
    }
    const hours = options['lifetime-hours'];
    const settings: RelaySettings = {
      host: options.host ?? '127.0.0.1',
      port: options.port ?? 0,
      ...(tls !== 'none' && { tls }),
      store:
        data === undefined
          ? { kind: 'memory' }
          : { kind: 'sqlite', folder: data, durability: durability ?? 'full' },
      ...(pipeline !== undefined && {
        role: await roleOf(
          pipeline,
          provider,
          options.secret ?? (data === undefined ? undefined : join(data, SECRET_FILE)),
        ),
      }),
      senders: options['anonymous-senders'] ? 'anonymous' : 'named',
      ...(hours !== undefined && { limits: { lifetimeMs: hours * 3_600_000 } }),
      authorityToken: newToken(),
      operatorToken: newToken(),
      ...(options.scan.length > 0 && { scanWords: options.scan }),
      search: options.search,
    };
    using interruption = new Interruption();
    const running = await startRelayProcess(settings);
    const { authorityToken, operatorToken } = settings;
    output.print(
      options.json
        ? `${JSON.stringify({ ...running.ready, authorityToken, operatorToken })}\n`
        : announcement(running.ready, settings),
    );
    const stopped = new Promise<'stopped'>((resolve) => {
      if (interruption.signal.aborted) resolve('stopped');
      interruption.signal.addEventListener('abort', () => resolve('stopped'), { once: true });
    });
    const first = await Promise.race([stopped, running.ended]);
    if (first !== 'stopped') {
      output.note(`the relay ended by itself, with ${first}\n`);
      return EXIT.failed;
    }
    output.note('stopping: answering and committing what has come ...\n');
    const { counts } = await running.snapshot();
    await running.stop();
    const { appended, fetched, frames } = counts;
    output.note(`stopped: ${appended} frames taken, ${fetched} fetched, ${frames} kept\n`);
    return (await running.ended) === 0 ? EXIT.fine : EXIT.failed;
  },
});
export default relay;

async function roleOf(
  text: string,
  provider: string,
  secretFile: string | undefined,
): Promise<NonNullable<RelaySettings['role']>> {
  const { name, options: given } = parseName(text);
  if (given['hop'] !== undefined && given['hop'] !== 'none') {
    throw badInput(`relay: expected hop=none, as TLS is the hop, found hop=${given['hop']}`);
  }
  const pipelines = await loadPipelines([name]);
  const resolved = resolvePipeline(text, { pipelines });
  const options = { ...resolved.options, hop: 'none' };
  const secret = await secretOf(pipelines.get(name)!, provider, options, secretFile);
  return { pipeline: name, provider, options, secretHex: toHex(secret) };
}

/** What is in the file; where there is none, a new one, which is written there. */
async function secretOf(
  pipeline: Pipeline,
  providerName: string,
  options: Options,
  file: string | undefined,
): Promise<Uint8Array> {
  const module = await loadByName<ProviderModule>(PROVIDERS_DIR, providerName, 'provider');
  const provider = await module.load(pipeline.needs);
  const members = new PackedMembers(Uint32Array.of(0, 1));
  const randomness = providerRandomness(provider);
  const world = await pipeline.open({ provider, randomness, users: 2, members, options, seed: 1 });
  const { relay: fresh } = world;
  if (file === undefined) return fresh;
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw badInput(`${file}: cannot be read: ${(error as NodeJS.ErrnoException).code}`);
    }
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, `${toHex(fresh)}\n`, { mode: 0o600, flag: 'wx' });
    return fresh;
  }
  if (!/^[0-9a-f]+$/.test(text) || text.length !== fresh.length * 2) {
    throw badInput(`${file}: expected ${fresh.length} bytes in hexadecimal, found something else`);
  }
  return fromHex(text);
}

/** 256 bits that nobody guesses. */
function newToken(): string {
  return crypto
    .getRandomValues(new Uint8Array(32))
    .toBase64({ alphabet: 'base64url', omitPadding: true });
}

function announcement(ready: RelayReady, settings: RelaySettings): string {
  const { host, port, tls, limits, mailboxes, frames } = ready;
  const { role, store } = settings;
  const address = host.includes(':') ? `[${host}]` : host;
  const rows: [string, string][] = [
    ['listens on', `${tls === undefined ? 'http' : 'https'}://${address}:${port}`],
    [
      'tls',
      tls === undefined
        ? 'none: a floor for measuring, nothing is protected on the way'
        : `${tls.protocol}, ${tls.group}, ${tls.cipher}; a certificate of this start, see --json`,
    ],
    ['store', store.kind === 'memory' ? 'memory' : `SQLite in ${store.folder}`],
    ['an answer is', ready.durability],
    ['holds', `${mailboxes} mailboxes, ${frames} frames`],
    [
      'frames are',
      role === undefined
        ? 'opaque'
        : `worked on by ${role.pipeline} (rest=${role.options['rest'] ?? 'none'}, ${role.provider})`,
    ],
    ['senders', settings.senders],
    [
      'limits',
      `${limits.frameBytes} B a frame, ${limits.framesPerMailbox} frames a mailbox, ` +
        `${limits.mailboxes} mailboxes, ${limits.connections} connections, ` +
        `${Math.round(limits.lifetimeMs / 3_600_000)} h`,
    ],
    ['authority', `GET /v1/handover with the token ${settings.authorityToken}`],
    ['operator', `GET /v1/stats with the token ${settings.operatorToken}`],
    ['stop', `Ctrl-C, or kill -TERM ${process.pid}`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}\n`).join('');
}
