/**
 * Child process: mounts attacks on one cell. A task comes in on stdin as one JSON line, a report goes
 * out likewise.
 *
 * @module
 */

import { loadByName } from '../src/core/discover.ts';
import { HarnessError } from '../src/core/errors.ts';
import {
  ADVERSARIES_DIR,
  BEHAVIOURS_DIR,
  PIPELINES_DIR,
  PROVIDERS_DIR,
} from '../src/core/paths.ts';
import type { ProviderModule } from '../src/crypto/provider.ts';
import type { Adversary } from '../src/exposure/adversary.ts';
import { mountAll } from '../src/exposure/mount-all.ts';
import type { ExposureTask } from '../src/exposure/spec.ts';
import type { Pipeline } from '../src/pipelines/_pipeline.ts';
import type { RepeatReport } from '../src/runner/repeat-report.ts';
import type { Behaviour } from '../src/workload/behaviour.ts';

const STATUSES: Readonly<Record<string, RepeatReport['status']>> = {
  UNAVAILABLE: 'unavailable',
  UNSUPPORTED: 'unsupported',
};

async function report(task: ExposureTask): Promise<RepeatReport> {
  try {
    const pipeline = await loadByName<Pipeline>(PIPELINES_DIR, task.pipeline, 'pipeline');
    if (pipeline.foreign !== undefined) {
      const reason = `${pipeline.foreign.implementation} gives up neither the state of its sessions nor the keys of its frames, so nothing is mounted on it: that is no 0 %`;
      return { status: 'unsupported', reason, shards: [] };
    }
    const module = await loadByName<ProviderModule>(PROVIDERS_DIR, task.provider, 'provider');
    const provider = await module.load(pipeline.needs);
    const { behaviour: named } = task.workload;
    const behaviour = await loadByName<Behaviour>(BEHAVIOURS_DIR, named, 'behaviour');
    const adversaries: Adversary[] = [];
    for (const name of task.adversaries) {
      adversaries.push(await loadByName<Adversary>(ADVERSARIES_DIR, name, 'adversary'));
    }
    const exposure = await mountAll(task, { pipeline, provider, behaviour, adversaries });
    return { status: 'ok', shards: [], exposure };
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    return { status: STATUSES[error.code] ?? 'error', reason: error.message, shards: [] };
  }
}

let input = '';
for await (const chunk of process.stdin.setEncoding('utf8')) input += String(chunk);
process.stdout.write(`${JSON.stringify(await report(JSON.parse(input) as ExposureTask))}\n`);
