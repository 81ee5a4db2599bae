import { sealing } from './_aead.ts';

export default sealing('chacha20-poly1305');
