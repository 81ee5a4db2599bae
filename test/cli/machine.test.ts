import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { readMachine } from '../../src/cli/machine.ts';

/** A folder with these files, which stands for the root of a machine. */
async function rootWith(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'sealbench-machine-'));
  t.after(() => rm(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(root, dirname(path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

const SYSTEM = 'sys/devices/system/cpu';

test('what the system says is read', async (t) => {
  const machine = await readMachine(
    await rootWith(t, {
      'proc/cpuinfo': 'processor : 0\nflags\t\t: fpu hypervisor lm\n',
      'proc/pressure/cpu': 'some avg10=12.50 avg60=1.00 avg300=0.00 total=1\nfull avg10=0.00\n',
      [`${SYSTEM}/cpu0/cpufreq/scaling_governor`]: 'powersave\n',
      [`${SYSTEM}/intel_pstate/no_turbo`]: '0\n',
      [`${SYSTEM}/smt/active`]: '1\n',
    }),
  );
  const { virtualised, governor, turbo, smt, cpuPressure } = machine;
  assert.deepEqual(
    { virtualised, governor, turbo, smt, cpuPressure },
    { virtualised: 'yes', governor: 'powersave', turbo: true, smt: true, cpuPressure: 0.125 },
  );
  assert.ok(machine.cores >= 1 && machine.logicalCores >= 1 && machine.memoryBytes > 0);
});

test('what cannot be read is absent', async (t) => {
  const machine = await readMachine(await rootWith(t, {}));
  assert.equal(machine.virtualised, 'unknown');
  for (const key of ['governor', 'turbo', 'smt', 'cpuPressure', 'cpuQuota']) {
    assert.ok(!Object.hasOwn(machine, key), key);
  }
});

test('turbo is read where the driver is not the one of Intel', async (t) => {
  const on = await readMachine(await rootWith(t, { [`${SYSTEM}/cpufreq/boost`]: '1\n' }));
  assert.equal(on.turbo, true);
  const off = await readMachine(
    await rootWith(t, {
      [`${SYSTEM}/intel_pstate/no_turbo`]: '1\n',
      [`${SYSTEM}/cpufreq/boost`]: '1\n',
    }),
  );
  assert.equal(off.turbo, false);
});

test('the smallest quota of the control group and of those that it is in counts', async (t) => {
  const second = await readMachine(
    await rootWith(t, {
      'proc/self/cgroup': '0::/outer/inner\n',
      'sys/fs/cgroup/outer/cpu.max': '150000 100000\n',
      'sys/fs/cgroup/outer/inner/cpu.max': '400000 100000\n',
      'sys/fs/cgroup/cpu.max': 'max 100000\n',
    }),
  );
  assert.equal(second.cpuQuota, 1.5);
  const first = await readMachine(
    await rootWith(t, {
      'proc/self/cgroup': '3:memory:/mine\n2:cpu,cpuacct:/mine\n0::/\n',
      'sys/fs/cgroup/cpu/mine/cpu.cfs_quota_us': '50000\n',
      'sys/fs/cgroup/cpu/mine/cpu.cfs_period_us': '100000\n',
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    }),
  );
  assert.equal(first.cpuQuota, 0.5);
});
