import { notMounted, type Mount, type ReadingAdversary } from '../adversary.ts';
import { deviceOpens } from '../expected.ts';
import type { Message } from '../evidence.ts';
import { isReadable } from './_everyone.ts';
import seizedDevice, { mountFor as deviceMount, WIPED } from './seized-device.ts';
import type { Town } from '../town.ts';

/** Steps from the seizure until the credential is revoked. */
const STEPS_UNTIL_REVOKED = 10;

/**
 * A5b: the same device with its credential, until it is revoked: whoever has it fetches as its owner,
 * and the device's own software opens what it fetches. The owner is taken to be out of it meanwhile.
 */
const liveCredential: ReadingAdversary = {
  kind: 'reader',
  name: 'live-credential',
  id: 'A5b',
  title: 'Device seized, with its credential',
  gets: 'the device and its credential until revocation: it fetches what is kept and what arrives',
  holds: 'one state per session of the user',
  attack(facts, evidence, leak) {
    return seizedDevice.attack(facts, evidence, leak);
  },
  mounts(town) {
    if (town.seized.length === 0) {
      return notMounted('unsupported', 'its library gives up no state');
    }
    return town.seized.map((_device, user) => mountFor(town, user));
  },
};

export default liveCredential;

function mountFor(town: Town, user: number): Mount {
  const base = deviceMount(town, user, WIPED);
  const { recording, plan, outcomes } = town;
  const { members } = recording.facts;
  const isTo = ({ session, sender }: Message): boolean =>
    members.user(session, 1 - sender) === user;
  const isLive = ({ step }: Message): boolean =>
    step > plan.seizedAfter && step <= plan.seizedAfter + STEPS_UNTIL_REVOKED;
  // What the device's software made of what it fetched, and of a provider that reads, all it keeps.
  const isFetched = (message: Message): boolean =>
    isTo(message) && (isLive(message) || (isReadable(town) && message.step <= plan.seizedAfter));
  const history = new Map<number, Uint8Array>();
  for (const message of recording.messages) {
    if (isFetched(message) && outcomes[message.id]! >= 0) {
      history.set(message.id, message.plaintext);
    }
  }
  const opens = deviceOpens(town, { user, isExhausted: false, withQuantum: false })!;
  const isBefore = ({ step }: Message): boolean => step <= plan.seizedAfter + STEPS_UNTIL_REVOKED;
  return {
    label: '',
    evidence: base.evidence,
    leak: { ...base.leak, history },
    isInScope: (message) => isTo(message) && isBefore(message),
    isExpected: (message) => isFetched(message) || opens(message),
  };
}
