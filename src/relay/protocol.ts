/**
 * The relay's HTTP API: paths, headers, limits of the format and binary framing, for the server and
 * for whoever drives it. docs/RELAY.md is the reference for people.
 *
 * | request | who | answer |
 * | --- | --- | --- |
 * | `PUT /v1/mailboxes/{id}` | anyone, with the token that is to hold | 201; 200 when it holds already |
 * | `POST /v1/mailboxes/{id}/frames` | a sender; body: one frame | 201, body: the frame's id in decimal |
 * | `GET /v1/mailboxes/{id}/frames?max=N` | the device | 200, body: frames, oldest first; empty when there are none |
 * | `DELETE /v1/mailboxes/{id}/frames?through=ID` | the device | 204 |
 * | `GET /v1/mailboxes/{id}/search?word=W` | the device; where the relay keeps an index | 200, ids as JSON |
 * | `GET /v1/handover?mailbox=ID,ID` | the authority | 200, a stream of frames without an end |
 * | `GET /v1/stats` | the operator | 200, JSON |
 *
 * What is not 2xx has a body of `application/problem+json` (RFC 9457). A change that breaks a client
 * is a new version in the path.
 *
 * @module
 */

import { getUint32, putUint32 } from '../core/bytes.ts';

/**
 * Mailboxes are devices, numbered by whoever registers them. With the ids of frames below 2^31 both
 * fit into the 53 bits that a number holds exactly, so a store can key a frame by one number.
 */
export const MAILBOX_ID_MAX: number = 2 ** 22 - 1;
/** Ids of frames count from 1 in each mailbox, and are never given twice, not after a restart either. */
export const FRAME_ID_MAX: number = 2 ** 31 - 1;

/** 32 random bytes as base64url without padding. */
export const TOKEN_CHARACTERS = 43;
const TOKEN: RegExp = /^[\w-]{43}$/;

/** Longest frame, unless the relay was started with less. */
export const FRAME_BYTES_MAX: number = 256 * 1024;
/** Frames in one answer to a fetch; fewer come where they would exceed FETCH_BYTES. @public */
export const FETCH_FRAMES_MAX = 1_000;
export const FETCH_FRAMES_DEFAULT = 100;
/** No further frame is added to an answer once it is this long. @public */
export const FETCH_BYTES: number = 1024 * 1024;

/**
 * Who sends, as a mailbox id, with that device's token in `authorization`. Required on an append
 * unless the relay takes anonymous senders.
 */
export const SENDER_HEADER = 'relay-sender';
/**
 * `message` when left out. `control` is fetched like a message. `escrow` is evidence for an authority:
 * kept with the mailbox until it expires, handed over, never fetched.
 */
export const KIND_HEADER = 'relay-kind';
export const FRAME_KINDS = ['message', 'control', 'escrow'] as const;
/** @public */
export type StoredKind = (typeof FRAME_KINDS)[number];

/** @public */
export const FRAME_MEDIA_TYPE = 'application/octet-stream';
/** @public */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** In the place of a sender where none is named. */
export const NO_SENDER = 0xffff_ffff;

const VERSION = '/v1';
export const STATS_PATH: string = `${VERSION}/stats`;
export const HANDOVER_PATH: string = `${VERSION}/handover`;
const MAILBOXES = `${VERSION}/mailboxes/`;

/** To register a mailbox: PUT. */
export function mailboxPath(mailbox: number): string {
  return `${MAILBOXES}${mailbox}`;
}

/** To append to it: POST. */
export function framesPath(mailbox: number): string {
  return `${MAILBOXES}${mailbox}/frames`;
}

/** To fetch from it: GET. */
export function fetchPath(mailbox: number, max: number = FETCH_FRAMES_DEFAULT): string {
  return `${MAILBOXES}${mailbox}/frames?max=${max}`;
}

/** To delete what was fetched, up to and with the frame `through`: DELETE. */
export function acknowledgePath(mailbox: number, through: number): string {
  return `${MAILBOXES}${mailbox}/frames?through=${through}`;
}

export function searchPath(mailbox: number, word: string): string {
  return `${MAILBOXES}${mailbox}/search?word=${encodeURIComponent(word)}`;
}

export function handOverPath(targets: readonly number[]): string {
  return `${HANDOVER_PATH}?mailbox=${targets.join(',')}`;
}

export function bearer(token: string): string {
  return `Bearer ${token}`;
}

/** What stands in front of a token in an `authorization` header. */
export const BEARER_CHARACTERS: number = 'Bearer '.length;

/** Whether an `authorization` header shows a token, of whatever form. */
export function isBearer(authorization: string | undefined): authorization is string {
  return authorization !== undefined && /^Bearer /i.test(authorization);
}

/** The token in an `authorization` header; undefined when there is none of the right form. */
export function bearerToken(authorization: string | undefined): string | undefined {
  if (!isBearer(authorization)) return undefined;
  const token = authorization.slice(BEARER_CHARACTERS);
  return TOKEN.test(token) ? token : undefined;
}

/** What a request is for, by its path alone; methods and queries are judged afterwards. */
export interface Route {
  readonly resource: 'mailbox' | 'frames' | 'search' | 'handover' | 'stats';
  /** -1 where the resource has none; NaN where it is no id. */
  readonly mailbox: number;
  /** What follows the question mark. */
  readonly query: string;
}

/** @returns undefined for a path that there is not. */
export function readRoute(url: string): Route | undefined {
  const mark = url.indexOf('?');
  const path = mark === -1 ? url : url.slice(0, mark);
  const query = mark === -1 ? '' : url.slice(mark + 1);
  if (path.startsWith(MAILBOXES)) {
    const slash = path.indexOf('/', MAILBOXES.length);
    const mailbox = readId(
      path.slice(MAILBOXES.length, slash === -1 ? path.length : slash),
      0,
      MAILBOX_ID_MAX,
    );
    if (slash === -1) return { resource: 'mailbox', mailbox, query };
    const rest = path.slice(slash + 1);
    return rest === 'frames' || rest === 'search' ? { resource: rest, mailbox, query } : undefined;
  }
  if (path === HANDOVER_PATH) return { resource: 'handover', mailbox: -1, query };
  return path === STATS_PATH ? { resource: 'stats', mailbox: -1, query } : undefined;
}

/** The value of a query that consists of this one; undefined for any other. */
export function queryValue(query: string, name: string): string | undefined {
  const isOnly = query.startsWith(name) && query[name.length] === '=' && !query.includes('&');
  return isOnly ? query.slice(name.length + 1) : undefined;
}

/** A decimal without sign or leading zeros; NaN for anything else and for what is out of bounds. */
export function readId(text: string, min: number, max: number): number {
  if (text.length === 0 || text.length > 10) return NaN;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9 || (i > 0 && value === 0)) return NaN;
    value = value * 10 + digit;
  }
  return value >= min && value <= max ? value : NaN;
}

/** One frame as the device fetches it. */
export interface FetchedFrame {
  readonly id: number;
  /** When the relay took it: milliseconds since 1970. */
  readonly atMs: number;
  readonly bytes: Uint8Array;
}

/** In front of each fetched frame, big-endian: id 8, time in ms 8, length 4. */
export const FETCHED_HEADER_BYTES = 20;

export function putFetchedHeader(
  out: Uint8Array,
  at: number,
  id: number,
  atMs: number,
  length: number,
): void {
  putUint53(out, at, id);
  putUint53(out, at + 8, atMs);
  putUint32(out, at + 16, length);
}

/**
 * The frames in the body of a fetch; their bytes are views of it.
 *
 * @throws RangeError for a body that breaks off or does not parse.
 */
export function readFetched(body: Uint8Array): FetchedFrame[] {
  const frames: FetchedFrame[] = [];
  let at = 0;
  while (at < body.length) {
    if (at + FETCHED_HEADER_BYTES > body.length) throw brokenOff(body.length, at);
    const id = getUint53(body, at);
    const atMs = getUint53(body, at + 8);
    const start = at + FETCHED_HEADER_BYTES;
    at = start + getUint32(body, at + 16);
    if (at > body.length) throw brokenOff(body.length, start);
    frames.push({ id, atMs, bytes: body.subarray(start, at) });
  }
  return frames;
}

/** One frame as the authority gets it, with the provider's own seals opened. */
export interface HandedFrame {
  /** In the mailbox `to`. */
  readonly id: number;
  readonly atMs: number;
  readonly to: number;
  /** NO_SENDER where the sender was not named. */
  readonly from: number;
  readonly bytes: Uint8Array;
}

/** In front of each frame handed over, big-endian: id 8, time in ms 8, to 4, from 4, length 4. */
export const HANDED_HEADER_BYTES = 28;

export function putHandedHeader(
  out: Uint8Array,
  at: number,
  { id, atMs, to, from, bytes }: HandedFrame,
): void {
  putUint53(out, at, id);
  putUint53(out, at + 8, atMs);
  putUint32(out, at + 16, to);
  putUint32(out, at + 20, from);
  putUint32(out, at + 24, bytes.length);
}

/** Cuts the hand-over stream into frames, whatever pieces it comes in. */
export class HandedReader {
  #rest = new Uint8Array(0);

  /**
   * @returns The frames that are complete now; their bytes are views that stay valid.
   * @throws RangeError for a length beyond what a frame can have.
   */
  push(chunk: Uint8Array): HandedFrame[] {
    const held = new Uint8Array(this.#rest.length + chunk.length);
    held.set(this.#rest);
    held.set(chunk, this.#rest.length);
    const frames: HandedFrame[] = [];
    let at = 0;
    while (at + HANDED_HEADER_BYTES <= held.length) {
      const length = getUint32(held, at + 24);
      if (length > FRAME_BYTES_MAX) {
        throw new RangeError(`"length" expected at most ${FRAME_BYTES_MAX}, got ${length}`);
      }
      const start = at + HANDED_HEADER_BYTES;
      if (start + length > held.length) break;
      frames.push({
        id: getUint53(held, at),
        atMs: getUint53(held, at + 8),
        to: getUint32(held, at + 16),
        from: getUint32(held, at + 20),
        bytes: held.subarray(start, start + length),
      });
      at = start + length;
    }
    this.#rest = held.subarray(at);
    return frames;
  }
}

/** A whole number below 2^53 in eight bytes. */
function putUint53(out: Uint8Array, at: number, value: number): void {
  putUint32(out, at, Math.floor(value / 0x1_0000_0000));
  putUint32(out, at + 4, value >>> 0);
}

function getUint53(bytes: Uint8Array, at: number): number {
  return getUint32(bytes, at) * 0x1_0000_0000 + getUint32(bytes, at + 4);
}

function brokenOff(length: number, at: number): RangeError {
  return new RangeError(
    `"body" expected whole frames, got ${length} bytes that break off at ${at}`,
  );
}
