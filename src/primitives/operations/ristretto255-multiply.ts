import { COSTLY_INPUTS_MAX, drawScalar } from '../draws.ts';
import { RISTRETTO_ANSWERS, type MultiplyInputs } from '../known-answers.ts';
import { defineOperation } from '../operation.ts';
import { groupOf, WITHOUT_WEBCRYPTO } from './_ristretto255.ts';

export default defineOperation<MultiplyInputs>({
  name: 'ristretto255-multiply',
  title: 'ristretto255: an element times a scalar',
  primitive: 'ristretto255',
  length: { of: 'element', fixedBytes: 32 },
  known: RISTRETTO_ANSWERS.multiply,
  inputsMax: COSTLY_INPUTS_MAX,
  /** The element is the generator times another scalar, made while binding. */
  draw: (random) => ({ scalar: drawScalar(random), elementScalar: drawScalar(random) }),
  outputBytes: () => 32,
  bind(provider, { scalar, elementScalar }, out) {
    const group = groupOf(provider);
    const element = new Uint8Array(32);
    group.multiplyBase(element, elementScalar);
    return () => {
      group.multiply(out, scalar, element);
      return out;
    };
  },
  webCrypto: WITHOUT_WEBCRYPTO,
});
