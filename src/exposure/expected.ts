/**
 * What a device that was copied once must open, message by message, by the rules of each protocol:
 * the expected table of the column A5a, with the healing lengths of the Double Ratchet.
 *
 * With j messages left in the burst at hand and bursts of b, a copy opens j + b later messages when
 * its owner was sending, and j + 2b when the peer was: the rest of the burst, the owner's next one,
 * whose ratchet key an eager ratchet has made already, and the peer's answer to the owner's key. Where
 * a deferred ratchet makes that key when it next sends, it is j when the peer was sending.
 * These rules read who spoke when and nothing that the attack computed.
 *
 * @module
 */

import { hasDeferredKeys } from '../pipelines/_ratchet-ends.ts';
import type { Script } from '../workload/script.ts';
import type { Message } from './evidence.ts';
import { innerKindOf } from './frame-profile.ts';
import type { Town } from './town.ts';

/** What the device of `user` opens, by message. */
export interface DeviceCase {
  readonly user: number;
  /** Prekeys that handshakes used are still on the device, and the signed prekey is. */
  readonly isExhausted: boolean;
  /** With the private key to every public key of X25519. */
  readonly withQuantum: boolean;
}

/** @returns Undefined where no closed rule is known. */
export function deviceOpens(
  town: Town,
  device: DeviceCase,
): ((message: Message) => boolean) | undefined {
  const { rung } = town.plan.pipeline;
  if (device.withQuantum && isAfter(rung, 'L8')) return undefined;
  const rule = ruleOf(town, device);
  // Frames that the user sends are sealed to the peer's identity key, which the user does not have.
  const isSealed = rung === 'L11';
  const inSessions = town.recording.facts.members;
  return (message) => {
    const sentByUser = inSessions.user(message.session, message.sender) === device.user;
    if (isSealed && sentByUser) return false;
    return rule(message, sentByUser);
  };
}

type Rule = (message: Message, sentByUser: boolean) => boolean;

function ruleOf(town: Town, device: DeviceCase): Rule {
  const { pipeline, isLate, script, seizedAfter } = town.plan;
  const { members } = town.recording.facts;
  const memberOf = (session: number): number => (members.user(session, 0) === device.user ? 0 : 1);
  switch (innerKindOf(pipeline)) {
    case 'sealed-box':
      return (_message, sentByUser) => !sentByUser;
    case 'static':
      // A context for each direction: what is sealed to the user's key opens, whoever began.
      return ({ session }, sentByUser) => !isLate(session) || !sentByUser;
    case 'chain':
      return ({ session, index }) => {
        const answered = memberOf(session) === 1;
        if (isLate(session)) return answered;
        return index > seizedAfter || (device.isExhausted && answered);
      };
    case 'ratchet': {
      const healed = new Map<number, number>();
      return ({ session, index }) => {
        const member = memberOf(session);
        const firstBurst = index < burstEnd(script, session, 0);
        if (device.withQuantum) return quantumOpens(town, session, member, index);
        if (isLate(session)) return member === 1 && firstBurst;
        if (device.isExhausted && member === 1) {
          // The first reply too, while the key with which it was begun is on the device.
          const reply = burstEnd(script, session, 0);
          const isReplying = reply <= seizedAfter && seizedAfter < burstEnd(script, session, reply);
          if (firstBurst || (isReplying && index <= seizedAfter)) return true;
        }
        if (index <= seizedAfter) return false;
        if (pipeline.rung === 'E7' && member === 0) return true;
        let upTo = healed.get(session);
        if (upTo === undefined) {
          upTo = healsAt(script, session, member, seizedAfter, hasDeferredKeys(town.plan.options));
          healed.set(session, upTo);
        }
        return index < upTo;
      };
    }
    default:
      return () => false;
  }
}

/** The first message that does not open any more after the seizure. */
export function healsAt(
  script: Script,
  session: number,
  member: number,
  seizedAfter: number,
  isDeferred: boolean = false,
): number {
  const wasSending = script.speakers[session * script.messages + seizedAfter] === member;
  let end = burstEnd(script, session, seizedAfter);
  const bursts = wasSending ? 1 : isDeferred ? 0 : 2;
  for (let burst = 0; burst < bursts; burst++) {
    if (end < script.messages) end = burstEnd(script, session, end);
  }
  return end;
}

/** The number after the last message of the burst that message `index` is in. */
export function burstEnd(script: Script, session: number, index: number): number {
  const from = session * script.messages;
  let end = index;
  while (end < script.messages && script.speakers[from + end] === script.speakers[from + index]) {
    end += 1;
  }
  return end;
}

/** A5 and A9 together on L6 to L8: the copied state, followed with every key but those of ML-KEM. */
function quantumOpens(town: Town, session: number, member: number, index: number): boolean {
  const { pipeline, options, isLate, seizedAfter } = town.plan;
  const isClassical = pipeline.rung === 'L6' || options['ratchet'] === 'double-ratchet';
  if (isClassical) return true;
  // The KEM prekeys of sessions that others will open lie on the device.
  if (isLate(session)) return member === 1;
  return index > seizedAfter;
}

const RUNGS = ['L0', 'L1', 'L2', 'L3', 'L4', 'L5', 'L6', 'L7', 'L8', 'L9', 'L10', 'L11'];

/** Whether a rung is this one or above it. */
export function isAfter(rung: string, from: string): boolean {
  return RUNGS.includes(rung) && RUNGS.indexOf(rung) >= RUNGS.indexOf(from);
}
