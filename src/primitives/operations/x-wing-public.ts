import { deriving } from './_kem.ts';

export default deriving('x-wing');
