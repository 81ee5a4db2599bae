import { directOptions, RECORD_OPTION } from './_library.ts';
import {
  LIBSIGNAL,
  LIBSIGNAL_CAVEATS,
  LIBSIGNAL_SKIP_LIMIT,
  loadLibsignal,
  TRIPLE_RATCHET_DIFFERENCES,
} from './_libsignal.ts';
import { LibsignalDevices, plain } from './_libsignal-devices.ts';
import { innerMessageOf } from './_ratchet-header.ts';
import { openCarrier, openCarrierRelay } from '../_carrier.ts';
import {
  OUTCOME,
  type AsyncClients,
  type Outbox,
  type Pipeline,
  type World,
} from '../_pipeline.ts';

/**
 * Stacks sampled with perf (cpu-clock, user space; x86-64, glibc, Node 26, libsignal-client 0.103.0)
 * over 300 open sessions, with bursts of mean 3 and messages of 28 B, the two ends alone: each sample
 * given to the innermost of these that it is in.
 */
const WHERE_ITS_TIME_GOES: readonly string[] = [
  "Of its CPU on turns like those of chat, in samples of its stack on x86-64 Linux: half is in its native code, and half of that in the C library's allocator and copying; a quarter is garbage collection with the finalisers of the native objects that each call leaves behind; a fifth is Node-API and the event loop, through which it is woken after each question; JavaScript, its own and the adapter's with our copying, is less than a twentieth.",
  'It asks four questions of its stores for each message at each end and awaits each answer. Reading and writing the record, some 5 kB, is a tenth of its CPU; it is counted in its native code above.',
];

/** In front of each message: which of libsignal's two types it has, as in the service's envelope. */
const TYPE_BYTES = 1;

class TripleRatchetClients implements AsyncClients {
  readonly asynchronous = true;
  readonly #devices: LibsignalDevices;

  constructor(devices: LibsignalDevices) {
    this.#devices = devices;
  }

  async publish(user: number, atMs: number, outbox: Outbox): Promise<void> {
    this.#devices.publish(user, atMs, outbox);
  }

  async initiate(session: number, member: number, bundle: Uint8Array): Promise<number> {
    this.#devices.turnTo(session, member);
    return this.#devices.initiate(bundle);
  }

  async send(
    session: number,
    member: number,
    plaintext: Uint8Array,
    _atMs: number,
    outbox: Outbox,
  ): Promise<void> {
    const devices = this.#devices;
    const { libsignal: library, stores } = devices;
    devices.turnTo(session, member);
    try {
      const message = await library.signalEncrypt(
        plain(plaintext),
        devices.peerAddress,
        devices.address,
        stores.session,
        stores.identity,
      );
      const bytes = message.serialize();
      const frame = outbox.reserve(TYPE_BYTES + bytes.length);
      frame[0] = message.type();
      frame.set(bytes, TYPE_BYTES);
      outbox.emit(devices.peer, 'message', frame.length);
    } catch (error) {
      throw devices.failed(error);
    }
  }

  async receive(
    session: number,
    member: number,
    frame: Uint8Array,
    _atMs: number,
    out: Uint8Array,
  ): Promise<number> {
    const devices = this.#devices;
    const { libsignal: library, stores } = devices;
    const { PreKey, Whisper } = library.CiphertextMessageType;
    const type: number | undefined = frame[0];
    if (type !== Whisper && type !== PreKey) return OUTCOME.AUTH_FAILED;
    devices.turnTo(session, member);
    if (type === Whisper && !devices.hasSession) return OUTCOME.UNKNOWN_KEY;
    const message = plain(frame.subarray(TYPE_BYTES));
    try {
      const plaintext =
        type === Whisper
          ? await library.signalDecrypt(
              library.SignalMessage.deserialize(message),
              devices.peerAddress,
              devices.address,
              stores.session,
              stores.identity,
            )
          : await library.signalDecryptPreKey(
              library.PreKeySignalMessage.deserialize(message),
              devices.peerAddress,
              devices.address,
              stores.session,
              stores.identity,
              stores.prekey,
              stores.signedPrekey,
              stores.kyberPrekey,
            );
      out.set(plaintext);
      return plaintext.length;
    } catch (error) {
      return devices.refused(error, type === Whisper ? message : innerMessageOf(message));
    }
  }
}

/** Signal's own protocol as its own library computes it, to be set beside L8. */
const tripleRatchet: Pipeline = {
  name: 'triple-ratchet.libsignal',
  title: 'PQXDH and the Triple Ratchet, computed by libsignal',
  family: 'ratchet',
  rung: 'side',
  adds: "as L8: post-quantum post-compromise security, by Signal's own construction",
  specs: [
    'PQXDH revision 3 (2023-05-24, updated 2024-01-23), with Kyber-1024 of round 3',
    'Double Ratchet revision 4 (2025-11-04), sections 5 and 6',
    'ML-KEM Braid revision 1 (2025-02-21, updated 2025-09-26)',
  ],
  caveats: LIBSIGNAL_CAVEATS,
  options: { ...directOptions(), persist: RECORD_OPTION },
  // Measured by scale/libraries: 15 KiB at the peak, with its share of a user.
  memory: { sessionBytes: 16_384, userBytes: 8_192 },
  replayProtection: true,
  skipLimit: LIBSIGNAL_SKIP_LIMIT,
  foreign: {
    ...LIBSIGNAL,
    comparedWith: 'pq-rekey:hop=none,persist=record,rest=none',
    differences: [...TRIPLE_RATCHET_DIFFERENCES, ...WHERE_ITS_TIME_GOES],
  },
  async open(setup): Promise<World> {
    const library = await loadLibsignal();
    const devices = new LibsignalDevices(library, setup.members, setup.users);
    return {
      ...openCarrier(setup, 'authenticated'),
      clients: new TripleRatchetClients(devices),
      directory: devices.directory(),
    };
  },
  openRelay: openCarrierRelay,
};

export default tripleRatchet;
