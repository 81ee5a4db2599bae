import { opening } from './_aead.ts';

export default opening('chacha20-poly1305');
