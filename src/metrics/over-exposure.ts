import { attackKind, shareFigure } from './_exposure.ts';
import type { Metric } from './_metric.ts';

/**
 * `disclosed`: of the messages that the disclosed material opens, those that the warrant did not ask
 * for. `standing`: of all recorded messages, those that the retained secret could open, as A7 mounts it.
 */
const overExposure: Metric = {
  name: 'over-exposure',
  unit: 'share',
  direction: 'lower',
  title: 'What a warrant opens besides what it asks for, and what the secret behind it could open',
  derive({ exposure }) {
    if (exposure === undefined) return [];
    return exposure.attacks.flatMap((attack) => {
      const { id, warrant } = attack;
      const kind = attackKind(attack);
      if (warrant !== undefined) {
        const unit = warrant.unit.replaceAll(' ', '-');
        const label = `${kind}:disclosed,unit=${unit}`;
        return shareFigure(warrant.opensOutside, warrant.opens, label, 'all');
      }
      if (id !== 'A7') return [];
      const { past, future } = attack;
      const recovered = past.recovered + future.recovered;
      return shareFigure(recovered, past.of + future.of, 'A6:standing', 'all');
    });
  },
};

export default overExposure;
