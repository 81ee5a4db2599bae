import { COSTLY_INPUTS_MAX, drawScalar } from '../draws.ts';
import { RISTRETTO_ANSWERS } from '../known-answers.ts';
import { defineOperation } from '../operation.ts';
import { groupOf, WITHOUT_WEBCRYPTO } from './_ristretto255.ts';

export default defineOperation<{ readonly scalar: Uint8Array }>({
  name: 'ristretto255-base',
  title: 'ristretto255: the generator times a scalar',
  primitive: 'ristretto255',
  length: { of: 'element', fixedBytes: 32 },
  known: RISTRETTO_ANSWERS.base,
  inputsMax: COSTLY_INPUTS_MAX,
  draw: (random) => ({ scalar: drawScalar(random) }),
  outputBytes: () => 32,
  bind(provider, { scalar }, out) {
    const group = groupOf(provider);
    return () => {
      group.multiplyBase(out, scalar);
      return out;
    };
  },
  webCrypto: WITHOUT_WEBCRYPTO,
});
