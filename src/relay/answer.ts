/**
 * What the relay answers to what it does not do, made once each: a refusal costs no formatting.
 *
 * @module
 */

import { PROBLEM_MEDIA_TYPE } from './protocol.ts';

/** A refusal as RFC 9457 has it. */
export interface Problem {
  readonly status: number;
  readonly body: string;
  /** Names and values in turn, as `writeHead` takes them. */
  readonly headers: readonly string[];
}

function problem(status: number, title: string, ...headers: string[]): Problem {
  const body = JSON.stringify({ type: 'about:blank', title, status });
  return {
    status,
    body,
    headers: [
      'content-type',
      PROBLEM_MEDIA_TYPE,
      'content-length',
      String(body.length),
      ...headers,
    ],
  };
}

export const PROBLEMS = {
  badFrame: problem(400, 'the body is no frame: it is empty, or the pipeline refuses it'),
  badHeader: problem(400, 'relay-sender is no mailbox id, or relay-kind no kind'),
  badQuery: problem(400, 'the query is not the one that this resource takes'),
  noToken: problem(
    401,
    'expected the token of the device in authorization',
    'www-authenticate',
    'Bearer',
  ),
  otherToken: problem(403, 'the token is not that of this device'),
  tooManyTargets: problem(403, 'more targets at once than the licensed share of the mailboxes'),
  noSuchPath: problem(404, 'there is no such resource'),
  noSuchMailbox: problem(404, 'there is no such mailbox'),
  taken: problem(409, 'the mailbox belongs to another token'),
  tooLong: problem(413, 'the frame is longer than this relay takes'),
  failed: problem(500, 'the relay failed'),
  unreadable: problem(500, 'a stored frame does not open'),
  notWritten: problem(503, 'the store could not commit; nothing of the request holds'),
  mailboxFull: problem(507, 'the mailbox holds as many frames as it may'),
  relayFull: problem(507, 'the relay holds as much as it may'),
} as const;

/** 405 with what the resource allows. */
export const NOT_ALLOWED = {
  mailbox: notAllowed('PUT'),
  frames: notAllowed('GET, POST, DELETE'),
  search: notAllowed('GET'),
  handover: notAllowed('GET'),
  stats: notAllowed('GET'),
} as const;

function notAllowed(methods: string): Problem {
  return problem(405, `this resource takes ${methods}`, 'allow', methods);
}
