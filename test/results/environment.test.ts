import assert from 'node:assert/strict';
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
