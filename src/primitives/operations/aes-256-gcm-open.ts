import { opening } from './_aead.ts';

export default opening('aes-256-gcm');
