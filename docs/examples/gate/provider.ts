import node from 'sealbench/src/providers/node.ts';
import { open, seal } from './aead.ts';

/** Your library where it has something, node:crypto for the rest. */
export default {
  ...node,
  name: 'my-library',
  title: 'My library, and node:crypto for the rest',
  async load(needs?: Parameters<typeof node.load>[0]) {
    const rest = await node.load(needs);
    return { ...rest, name: 'my-library', aead: { 'chacha20-poly1305': { seal, open } } };
  },
};
