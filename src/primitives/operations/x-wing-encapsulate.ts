import { encapsulating } from './_kem.ts';

export default encapsulating('x-wing');
