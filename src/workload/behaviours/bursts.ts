import type { Behaviour } from '../behaviour.ts';

/**
 * Both speak in turns of several messages: geometric burst lengths with a given mean, cut off.
 *
 * With mean 1 this is ping-pong: every message answers the one before.
 */
const bursts: Behaviour = {
  name: 'bursts',
  title: 'Both members speak in turns of several messages',
  parameters: { meanBurst: { min: 1, max: 1000 }, maxBurst: { min: 1, max: 1000 } },
  speak(speakers, parameters, random) {
    const goOn = 1 - 1 / parameters['meanBurst']!;
    const longest = parameters['maxBurst']!;
    let speaker = 0;
    let length = 0;
    for (let i = 0; i < speakers.length; i++) {
      if (length > 0 && (length >= longest || random.fraction() >= goOn)) {
        speaker = 1 - speaker;
        length = 0;
      }
      speakers[i] = speaker;
      length += 1;
    }
  },
};

export default bursts;
