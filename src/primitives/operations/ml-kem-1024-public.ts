import { deriving } from './_kem.ts';

export default deriving('ml-kem-1024');
