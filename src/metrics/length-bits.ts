import { figure, type Metric } from './_metric.ts';

/** `of-messages`: the entropy of their lengths. `told-by-frames`: what the lengths of frames tell of it. */
const lengthBits: Metric = {
  name: 'length-bits',
  unit: 'bits',
  direction: 'lower',
  title: 'Bits that the length of a frame tells of the length of its message',
  derive({ exposure }) {
    const metadata = exposure?.metadata;
    if (metadata === undefined || metadata.lengthBits === 0) return [];
    return [
      figure(metadata.lengthBits, { kind: 'of-messages' }),
      figure(metadata.lengthBitsTold, { kind: 'told-by-frames' }),
    ];
  },
};

export default lengthBits;
