/** A provider whose SHA-256 is wrong: `node`'s with one bit changed. */

import type { ProviderModule } from '../../src/crypto/provider.ts';
import node from '../../src/providers/node.ts';

const wrongHash: ProviderModule = {
  ...node,
  name: 'wrong-hash',
  title: 'node with a wrong SHA-256',
  async load() {
    const provider = await node.load();
    return {
      ...provider,
      name: 'wrong-hash',
      sha256(out, data) {
        provider.sha256(out, data);
        out[0]! ^= 1;
      },
    };
  },
};
export default wrongHash;
