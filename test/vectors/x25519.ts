/** RFC 7748 §5.2 and §6.1, in hexadecimal, and the points that §6.1 lets a receiver refuse. */

export const X25519_VECTORS: readonly {
  readonly scalar: string;
  readonly point: string;
  readonly result: string;
}[] = [
  {
    scalar: 'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
    point: 'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
    result: 'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
  },
  {
    scalar: '4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d',
    // The unused top bit of the last byte is set here, and must be ignored.
    point: 'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493',
    result: '95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957',
  },
];

/** §5.2: k and u begin as 9; then u becomes the old k, and k the result. */
export const X25519_ITERATED: readonly { readonly iterations: number; readonly k: string }[] = [
  { iterations: 1, k: '422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079' },
  { iterations: 1000, k: '684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51' },
];

/** §6.1. */
export const X25519_AGREEMENT = {
  aliceSecret: '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a',
  alicePublic: '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
  bobSecret: '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb',
  bobPublic: 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
  shared: '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
};

/**
 * Every encoding of a point of low order, with the top bit clear: the list at
 * https://cr.yp.to/ecdh.html#validate.
 */
export const X25519_LOW_ORDER: readonly { readonly name: string; readonly point: string }[] = [
  { name: '0', point: '0000000000000000000000000000000000000000000000000000000000000000' },
  { name: '1', point: '0100000000000000000000000000000000000000000000000000000000000000' },
  {
    name: 'the first of order 8',
    point: 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  },
  {
    name: 'the second of order 8',
    point: '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  },
  { name: 'p - 1', point: 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f' },
  { name: 'p', point: 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f' },
  { name: 'p + 1', point: 'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f' },
];
