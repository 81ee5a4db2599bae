import assert from 'node:assert/strict';
import { findPackageJSON } from 'node:module';
import { homedir, hostname, userInfo } from 'node:os';
import test from 'node:test';
import {
  environmentSchema,
  gitSchema,
  readEnvironment,
  readGit,
  virtualised,
} from '../../src/results/environment.ts';

void test('the environment of this machine is what its schema says', async () => {
  const environment = await readEnvironment();
  assert.deepEqual(environmentSchema.parse(environment), environment);
  assert.equal(environment.node, process.versions.node);
  assert.match(environment.packages['zod'] ?? '', /^\d+\.\d+\.\d+/);
  assert.match(environment.packages['sodium-native'] ?? '', /^\d+\.\d+\.\d+/);
});

void test('versions of optional libraries are recorded where they are installed', async () => {
  const { packages } = await readEnvironment();
  for (const name of ['@signalapp/libsignal-client', '@matrix-org/olm', '@hpke/core']) {
    const installed = findPackageJSON(name, import.meta.url);
    if (installed === undefined) assert.equal(packages[name], undefined);
    else assert.match(packages[name] ?? '', /^\d+\.\d+\.\d+/, name);
  }
  assert.equal(packages['typescript'], undefined);
});

void test('the environment holds no host name, no user name and no path', async () => {
  const texts = Object.values(await readEnvironment()).filter((one) => typeof one === 'string');
  for (const text of texts) {
    assert.notEqual(text, hostname());
    assert.notEqual(text, userInfo().username);
    assert.ok(!text.includes(homedir()) && !text.includes(process.cwd()), text);
  }
});

void test('a hypervisor is told from its flag', () => {
  assert.equal(virtualised('model : x\nflags\t\t: fpu hypervisor sse\n'), 'yes');
  assert.equal(virtualised('flags\t\t: fpu nohypervisor sse\n'), 'no');
  assert.equal(virtualised('Features : fp asimd\n'), 'unknown');
  assert.equal(virtualised(''), 'unknown');
});

void test('the revision is whole, or there is none', async () => {
  const git = await readGit();
  if (git !== null) gitSchema.parse(git);
});
