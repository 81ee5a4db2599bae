/**
 * libolm, compiled to WebAssembly: loading it, and its two calls that take plaintexts.
 *
 * Its JavaScript methods take and give texts: a plaintext of arbitrary bytes cannot pass through them
 * unchanged. `encrypt` and `decrypt` are therefore called here as its C interface has them (olm.h), on
 * bytes; everything else goes through its JavaScript classes.
 *
 * @module
 */

import type { Account, Session, Utility } from '@matrix-org/olm';
import type { ForeignLibrary } from '../_pipeline.ts';
import { installedVersion, loadOptional, type OptionalPackage } from './_library.ts';

const PACKAGE: OptionalPackage = { name: '@matrix-org/olm', tested: '3.2.15' };

export interface Libolm {
  readonly Account: new () => Account;
  readonly Session: new () => Session;
  readonly Utility: new () => Utility;
  readonly calls: OlmCalls;
}

let loading: Promise<Libolm> | undefined;

/** It can be initialised once per thread. */
export function loadLibolm(): Promise<Libolm> {
  loading ??= loadOptional(PACKAGE, initialise);
  return loading;
}

/** What all pipelines of it have in common. */
export const LIBOLM = {
  implementation: 'libolm',
  package: PACKAGE.name,
  licence: 'Apache-2.0',
  async version(): Promise<string> {
    await loadLibolm();
    return installedVersion(PACKAGE.name);
  },
} as const satisfies Partial<ForeignLibrary>;

/** MAX_MESSAGE_GAP of src/ratchet.cpp. */
export const LIBOLM_SKIP_LIMIT = 2_000;

/** Of messages with a handshake, and of those after the first answer. */
export const OLM_TYPE = { prekey: 0, normal: 1 } as const;

export interface OlmMessage {
  readonly type: number;
  /** Base64 without padding. */
  readonly body: string;
}

/** The part of olm.h, with what Emscripten exports besides, that is called here. */
interface OlmModule {
  /** Another one when the memory has grown. */
  readonly HEAPU8: Uint8Array<ArrayBuffer>;
  _malloc(bytes: number): number;
  _free(address: number): void;
  _olm_error(): number;
  _olm_session_has_received_message(session: number): number;
  _olm_session_last_error(session: number): number;
  _olm_encrypt_message_type(session: number): number;
  _olm_encrypt_message_length(session: number, plaintextBytes: number): number;
  _olm_encrypt_random_length(session: number): number;
  _olm_encrypt(
    session: number,
    plaintext: number,
    plaintextBytes: number,
    random: number,
    randomBytes: number,
    message: number,
    messageBytes: number,
  ): number;
  _olm_decrypt(
    session: number,
    type: number,
    message: number,
    messageBytes: number,
    plaintext: number,
    plaintextBytes: number,
  ): number;
}

const EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

async function initialise(): Promise<Libolm> {
  const { default: olm } = await import('@matrix-org/olm');
  let module: OlmModule | undefined;
  const before = EVENTS.map((event) => process.listeners(event));
  // Emscripten hands its module to what is to run first.
  const initialised = olm.init({ preRun: [(itself: OlmModule) => (module = itself)] });
  // It listens for the errors of the whole process, to throw them again, and leaves a global variable.
  for (const [index, event] of EVENTS.entries()) {
    for (const listener of process.listeners(event)) {
      if (!before[index]!.includes(listener)) process.off(event, listener);
    }
  }
  Reflect.deleteProperty(globalThis, 'OLM_OPTIONS');
  await initialised;
  if (module === undefined) throw new Error('it was initialised by somebody else');
  const { Account, Session, Utility } = olm;
  return { Account, Session, Utility, calls: new OlmCalls(module, new Session()) };
}

/** The two calls that take plaintexts, and the buffers that they use. Not re-entrant. */
export class OlmCalls {
  readonly #module: OlmModule;
  /** What calls return that failed. */
  readonly #failed: number;
  /** Under which name its objects keep the address of theirs in C: the build shortens it. */
  readonly #addressKey: string;
  #input = 0;
  #output = 0;
  #roomBytes = 0;
  readonly #random: number;
  readonly #encoder = new TextEncoder();

  /** @param probe An object to learn from; freed. */
  constructor(module: OlmModule, probe: Session) {
    this.#module = module;
    this.#failed = module._olm_error();
    const [key, address] = Object.entries(probe).at(-1) ?? ['', undefined];
    if (typeof address !== 'number' || module._olm_session_has_received_message(address) !== 0) {
      throw new Error('it is not laid out as the version that was tested');
    }
    this.#addressKey = key;
    this.#random = module._malloc(RANDOM_BYTES_MAX);
    probe.free();
  }

  /** @throws Error `OLM.` and the name of the error, as its JavaScript methods do. */
  encrypt(session: Session, plaintext: Uint8Array): OlmMessage {
    const module = this.#module;
    const address = this.#addressOf(session);
    const type = module._olm_encrypt_message_type(address);
    const messageBytes = module._olm_encrypt_message_length(address, plaintext.length);
    this.#makeRoom(messageBytes);
    const randomBytes = module._olm_encrypt_random_length(address);
    if (randomBytes > 0) crypto.getRandomValues(this.#view(this.#random, randomBytes));
    this.#view(this.#input, plaintext.length).set(plaintext);
    const length = module._olm_encrypt(
      address,
      this.#input,
      plaintext.length,
      this.#random,
      randomBytes,
      this.#output,
      messageBytes,
    );
    if (length === this.#failed) throw this.#errorOf(address);
    return { type, body: this.#text(this.#output, messageBytes) };
  }

  /**
   * @param out At least as long as the message in binary.
   * @returns The length of the plaintext.
   * @throws Error `OLM.` and the name of the error, as its JavaScript methods do.
   */
  decrypt(session: Session, { type, body }: OlmMessage, out: Uint8Array): number {
    const module = this.#module;
    const address = this.#addressOf(session);
    this.#makeRoom(body.length);
    this.#encoder.encodeInto(body, this.#view(this.#input, body.length));
    const length = module._olm_decrypt(
      address,
      type,
      this.#input,
      body.length,
      this.#output,
      this.#roomBytes,
    );
    if (length === this.#failed) throw this.#errorOf(address);
    out.set(this.#view(this.#output, length));
    return length;
  }

  #addressOf(session: Session): number {
    return (session as unknown as Readonly<Record<string, number>>)[this.#addressKey]!;
  }

  #view(address: number, bytes: number): Uint8Array<ArrayBuffer> {
    return this.#module.HEAPU8.subarray(address, address + bytes);
  }

  #text(address: number, bytes: number): string {
    const { buffer } = this.#module.HEAPU8;
    return Buffer.from(buffer, address, bytes).toString('latin1');
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#roomBytes) return;
    const module = this.#module;
    if (this.#roomBytes > 0) {
      module._free(this.#input);
      module._free(this.#output);
    }
    this.#roomBytes = Math.max(ROOM_BYTES_MIN, bytes * 2);
    this.#input = module._malloc(this.#roomBytes);
    this.#output = module._malloc(this.#roomBytes);
  }

  #errorOf(address: number): Error {
    const from = this.#module._olm_session_last_error(address);
    const to = this.#module.HEAPU8.indexOf(0, from);
    return new Error(`OLM.${this.#text(from, to - from)}`);
  }
}

/** One X25519 key. */
const RANDOM_BYTES_MAX = 32;
const ROOM_BYTES_MIN = 4096;
