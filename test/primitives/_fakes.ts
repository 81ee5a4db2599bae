/** Clocks that move only when a call is made, and operations that compute nothing. */

import type { Clocks } from '../../src/primitives/clocks.ts';
import {
  defineOperation,
  type Implementation,
  type Operation,
  type OperationParts,
} from '../../src/primitives/operation.ts';
import nullModule from '../../src/providers/null.ts';
import type { Provider } from '../../src/crypto/provider.ts';

export interface FakeTime {
  /** Whatever takes time adds to both. */
  nowNs: number;
  cpuNs: number;
}

export interface FakeClockOptions {
  /** What a reading of the wall clock takes, of wall and of CPU. */
  readonly readNs?: number;
  readonly kernelNs?: number;
  /** Waited for a core so far; -1 where it cannot be read. */
  readonly runDelayNs?: () => number;
}

export function fakeClocks(
  time: FakeTime,
  { readNs = 0, kernelNs = 1_000, runDelayNs = () => 0 }: FakeClockOptions = {},
): Clocks {
  return {
    nowMs() {
      time.nowNs += readNs;
      time.cpuNs += readNs;
      return time.nowNs / 1e6;
    },
    readCpuNs: () => time.cpuNs,
    readRunDelayNs: runDelayNs,
    readStealTicks: () => -1,
    runKernel: () => kernelNs,
    collectGarbage: () => undefined,
  };
}

/** An implementation around `provider`, or around the one that computes nothing. */
export async function implementationOf(
  name: string,
  provider: Partial<Provider> = {},
): Promise<Implementation> {
  const inner = await nullModule.load();
  return { kind: 'provider', name, version: '1', provider: { ...inner, ...provider, name } };
}

interface ByteInput {
  readonly byte: number;
}

/** Puts out its input's byte three times; `onCall` is told of each call. */
export function echo(
  onCall: () => void = () => undefined,
  changes: Partial<OperationParts<ByteInput>> = {},
): Operation {
  let drawn = 0;
  return defineOperation<ByteInput>({
    name: 'echo',
    title: 'its input',
    primitive: 'sha256',
    length: { of: 'input' },
    known: [],
    inputsMax: 4,
    draw: () => ({ byte: ++drawn }),
    outputBytes: () => 3,
    bind(_, { byte }, out) {
      return () => {
        onCall();
        return out.fill(byte);
      };
    },
    webCrypto: {
      awaited: true,
      async bind(_, { byte }) {
        return async () => {
          onCall();
          return new Uint8Array(3).fill(byte);
        };
      },
    },
    ...changes,
  });
}
