/** TLS of the real server: what is negotiated is what was asked for and printed, and nothing else is. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:https';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { makeCertificate } from '../../src/relay/certificate.ts';
import {
  bearer,
  framesPath,
  mailboxPath,
  readFetched,
  SENDER_HEADER,
} from '../../src/relay/protocol.ts';
import { startRelay, type Relay } from '../../src/relay/relay.ts';
import { TLS_GROUPS, type TlsGroup } from '../../src/relay/settings.ts';
import { SETTINGS, tokenOf } from './_relay.ts';

/** Without openssl there is no certificate: that is the reason which is printed. */
const skip = await makeCertificate().then(
  () => false,
  (error: Error) => error.message,
);

async function withTls(tls: TlsGroup, use: (relay: Relay) => Promise<void>): Promise<void> {
  const relay = await startRelay({ ...SETTINGS, tls });
  try {
    await use(relay);
  } finally {
    await relay.stop();
  }
}

/** A finished handshake; the caller ends the connection. */
async function connected({ ready }: Relay, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const { host, port, tls } = ready;
  const socket = connect({ host, port, ca: tls!.certificate, ...options });
  await once(socket, 'secureConnect');
  return socket;
}

function groupOf(socket: TLSSocket): string | undefined {
  return (socket.getEphemeralKeyInfo() as { name?: string }).name;
}

for (const group of TLS_GROUPS) {
  test(
    `${group}: it is what is negotiated and printed, over TLS 1.3 and nothing older`,
    { skip },
    async () => {
      await withTls(group, async (relay) => {
        const { group: printed, protocol } = relay.ready.tls!;
        assert.deepEqual([printed, protocol], [group, 'TLSv1.3']);
        const socket = await connected(relay);
        assert.deepEqual([groupOf(socket), socket.getProtocol()], [group, 'TLSv1.3']);
        assert.ok(socket.authorized);
        socket.destroy();
        const other = TLS_GROUPS.find((name) => name !== group)!;
        for (const ecdhCurve of [other, 'P-256']) {
          await assert.rejects(connected(relay, { ecdhCurve }), /handshake failure/);
        }
        await assert.rejects(connected(relay, { maxVersion: 'TLSv1.2' }), /protocol version/);
        // Its certificate is for the loopback names, and known to nobody but who was given it.
        await assert.rejects(connected(relay, { ca: [] }), /self-signed/);
        await assert.rejects(connected(relay, { servername: 'example.org' }), /altnames/);
      });
    },
  );

  test(`${group}: a session is resumed, with a key exchange of its own`, { skip }, async () => {
    await withTls(group, async (relay) => {
      const first = await connected(relay);
      assert.ok(!first.isSessionReused());
      const [session] = (await once(first, 'session')) as [Buffer];
      first.destroy();
      const again = await connected(relay, { session });
      assert.ok(again.isSessionReused());
      assert.equal(groupOf(again), group);
      // The server is through with a handshake a little after the client.
      while (relay.snapshot().counts.tlsResumed === 0) await sleep(5);
      const { tlsHandshakes, tlsResumed } = relay.snapshot().counts;
      assert.equal(tlsResumed, 1);
      assert.ok(tlsHandshakes >= 2);
      again.destroy();
      // Another start has other keys: a full handshake, which its own certificate is needed for.
      await withTls(group, async (other) => {
        const full = await connected(other, { session });
        assert.ok(!full.isSessionReused());
        full.destroy();
      });
    });
  });
}

test('frames pass over TLS, and what was on the wire is counted', { skip }, async () => {
  await withTls('X25519MLKEM768', async (relay) => {
    const { host, port, tls } = relay.ready;
    const ask = async (method: string, path: string, body = ''): Promise<Buffer> => {
      const headers = { authorization: bearer(tokenOf(1)), [SENDER_HEADER]: '1' };
      const asked = request({ host, port, method, path, headers, ca: tls!.certificate });
      asked.end(body);
      const [answer] = (await once(asked, 'response')) as [AsyncIterable<Buffer>];
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk);
      return Buffer.concat(chunks);
    };
    await ask('PUT', mailboxPath(1));
    const before = relay.snapshot().counts;
    const frame = 'x'.repeat(5_000);
    assert.equal(String(await ask('POST', framesPath(1), frame)), '1');
    const [fetched] = [...readFetched(await ask('GET', framesPath(1)))];
    assert.equal(Buffer.from(fetched!.bytes).toString(), frame);
    const after = relay.snapshot().counts;
    assert.ok(after.receivedBytes - before.receivedBytes > frame.length);
    assert.ok(after.sentBytes - before.sentBytes > frame.length);
  });
});
