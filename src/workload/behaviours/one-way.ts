import type { Behaviour } from '../behaviour.ts';

/** Member 0 speaks and nobody ever answers: the longest chain a ratchet can have. */
const oneWay: Behaviour = {
  name: 'one-way',
  title: 'Member 0 speaks and nobody answers',
  parameters: {},
  speak(speakers) {
    speakers.fill(0);
  },
};

export default oneWay;
