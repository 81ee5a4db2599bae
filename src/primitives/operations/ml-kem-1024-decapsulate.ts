import { decapsulating } from './_kem.ts';

export default decapsulating('ml-kem-1024');
