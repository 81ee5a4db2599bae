/**
 * Who may do what: whose token a request shows. Each function gives what was asked for, or the problem
 * with which the request is refused.
 *
 * @module
 */

import type { IncomingMessage } from 'node:http';
import { PROBLEMS, type Problem } from './answer.ts';
import type { Mailbox } from './mailbox.ts';
import type { Mailboxes } from './mailboxes.ts';
import {
  BEARER_CHARACTERS,
  bearerToken,
  isBearer,
  MAILBOX_ID_MAX,
  NO_SENDER,
  readId,
  SENDER_HEADER,
} from './protocol.ts';
import type { RelaySettings } from './settings.ts';
import { isSameToken } from './token.ts';

type Headers = IncomingMessage['headers'];

/** The mailbox, where the request has its device's token. */
export function ownMailbox(headers: Headers, mailbox: Mailbox | undefined): Mailbox | Problem {
  if (mailbox !== undefined && shows(headers, mailbox.token)) return mailbox;
  if (bearerToken(headers.authorization) === undefined) return PROBLEMS.noToken;
  return mailbox === undefined ? PROBLEMS.noSuchMailbox : PROBLEMS.otherToken;
}

/** Who sends: a mailbox whose token the request has, or NO_SENDER. */
export function senderOf(
  headers: Headers,
  senders: RelaySettings['senders'],
  mailboxes: Mailboxes,
): number | Problem {
  const named = headers[SENDER_HEADER];
  if (named === undefined && senders === 'anonymous') return NO_SENDER;
  const id = typeof named === 'string' ? readId(named, 0, MAILBOX_ID_MAX) : NaN;
  const sender = mailboxes.get(id);
  if (sender !== undefined && shows(headers, sender.token)) return id;
  if (bearerToken(headers.authorization) === undefined) return PROBLEMS.noToken;
  return Number.isNaN(id) ? PROBLEMS.badHeader : PROBLEMS.otherToken;
}

/** @param held Of the authority or the operator; undefined where nobody may. */
export function problemOfToken(headers: Headers, held: string | undefined): Problem | undefined {
  if (held !== undefined && shows(headers, held)) return undefined;
  return bearerToken(headers.authorization) === undefined ? PROBLEMS.noToken : PROBLEMS.otherToken;
}

/** Without a look at the form of the token: what is held has the right one. */
function shows({ authorization }: Headers, held: string): boolean {
  return isBearer(authorization) && isSameToken(authorization, held, BEARER_CHARACTERS);
}
