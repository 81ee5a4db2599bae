import { decapsulating } from './_kem.ts';

export default decapsulating('x-wing');
