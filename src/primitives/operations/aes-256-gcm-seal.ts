import { sealing } from './_aead.ts';

export default sealing('aes-256-gcm');
