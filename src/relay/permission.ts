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
import { bearerToken, MAILBOX_ID_MAX, NO_SENDER, readId, SENDER_HEADER } from './protocol.ts';
import type { RelaySettings } from './settings.ts';
import { isSameToken } from './token.ts';

type Headers = IncomingMessage['headers'];

/** The mailbox, where the request has its device's token. */
export function ownMailbox(headers: Headers, mailbox: Mailbox | undefined): Mailbox | Problem {
  const token = bearerToken(headers.authorization);
  if (token === undefined) return PROBLEMS.noToken;
  if (mailbox === undefined) return PROBLEMS.noSuchMailbox;
  return isSameToken(token, mailbox.token) ? mailbox : PROBLEMS.otherToken;
}

/** Who sends: a mailbox whose token the request has, or NO_SENDER. */
export function senderOf(
  headers: Headers,
  senders: RelaySettings['senders'],
  mailboxes: Mailboxes,
): number | Problem {
  const named = headers[SENDER_HEADER];
  if (named === undefined && senders === 'anonymous') return NO_SENDER;
  const token = bearerToken(headers.authorization);
  if (token === undefined) return PROBLEMS.noToken;
  const id = typeof named === 'string' ? readId(named, 0, MAILBOX_ID_MAX) : NaN;
  if (Number.isNaN(id)) return PROBLEMS.badHeader;
  const sender = mailboxes.get(id);
  if (sender === undefined || !isSameToken(token, sender.token)) return PROBLEMS.otherToken;
  return id;
}

/** @param held Of the authority or the operator; undefined where nobody may. */
export function problemOfToken(headers: Headers, held: string | undefined): Problem | undefined {
  const token = bearerToken(headers.authorization);
  if (token === undefined) return PROBLEMS.noToken;
  return held === undefined || !isSameToken(token, held) ? PROBLEMS.otherToken : undefined;
}
