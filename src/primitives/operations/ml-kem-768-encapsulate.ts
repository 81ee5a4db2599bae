import { encapsulating } from './_kem.ts';

export default encapsulating('ml-kem-768');
