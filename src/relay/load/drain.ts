/**
 * Requests outside of any schedule: registration, and fetching what is left.
 *
 * @module
 */

import { acknowledgePath, bearer, FETCH_FRAMES_MAX, fetchPath, mailboxPath } from '../protocol.ts';
import type { RelayClient, RelayRequest } from './client.ts';
import type { Faults, Fetched } from './delivery.ts';
import { takeFetched } from './requests.ts';

/** @throws Error for a relay that does not take one of them. */
export async function registerMailboxes(
  client: RelayClient,
  tokens: readonly string[],
): Promise<void> {
  await Promise.all(
    tokens.map(async (token, mailbox) => {
      const { status } = await request(client, 'PUT', mailboxPath(mailbox), [
        'authorization',
        bearer(token),
      ]);
      if (status !== 201) throw new Error(`mailbox ${mailbox} was refused with ${status}`);
    }),
  );
}

/** Fetches until nothing is left, one mailbox after the other, and acknowledges; untimed. */
export async function drain(
  client: RelayClient,
  tokens: readonly string[],
  mailboxes: Iterable<number>,
  faults: Faults,
): Promise<Fetched[]> {
  const fetched: Fetched[] = [];
  const ask = (method: 'GET' | 'DELETE', path: string, mailbox: number): Promise<Answered> =>
    request(client, method, path, ['authorization', bearer(tokens[mailbox]!)]);
  const drainOne = async (mailbox: number): Promise<void> => {
    let before = 0;
    for (;;) {
      const { status, body } = await ask('GET', fetchPath(mailbox, FETCH_FRAMES_MAX), mailbox);
      if (status !== 200) {
        faults.add(`a fetch of mailbox ${mailbox} was refused with ${status}`);
        return;
      }
      const last = takeFetched(mailbox, body, fetched, faults);
      if (last === 0) return;
      if (last <= before) {
        faults.add(`mailbox ${mailbox}: frame ${last} came again after it was acknowledged`);
        return;
      }
      before = last;
      const answer = await ask('DELETE', acknowledgePath(mailbox, last), mailbox);
      if (answer.status === 204) continue;
      faults.add(`an acknowledgement of mailbox ${mailbox} was refused with ${answer.status}`);
      return;
    }
  };
  await Promise.all([...mailboxes].map(drainOne));
  return fetched;
}

export interface Answered {
  readonly status: number;
  readonly body: Uint8Array;
}

/** One request outside of any schedule. @throws Error when it is not answered. */
export function request(
  client: RelayClient,
  method: RelayRequest['method'],
  path: string,
  headers: readonly string[],
  body: Uint8Array | null = null,
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    client.send({
      method,
      path,
      headers,
      body,
      begun: () => undefined,
      answered: (status, answer) => resolve({ status, body: answer }),
      failed: (reason) => reject(new Error(reason)),
    });
  });
}
