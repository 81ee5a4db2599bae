/**
 * A pipeline with a witness: everything that comes out of any of its parts is written down.
 *
 * @module
 */

import { hash } from 'node:crypto';
import {
  synchronousClients,
  type Authority,
  type Clients,
  type FrameKind,
  type Outbox,
  type Pipeline,
  type Relay,
} from '../../src/pipelines/_pipeline.ts';

export interface Transcript {
  /** The pipeline to run in place of the one given. */
  readonly pipeline: Pipeline;
  /** One line per output, in order: who, what, and a digest of the bytes. */
  readonly lines: string[];
}

export function transcribe(pipeline: Pipeline): Transcript {
  const lines: string[] = [];
  const note = (what: string, bytes: Uint8Array): void => {
    lines.push(`${what}, ${bytes.length} bytes: ${hash('sha256', bytes, 'hex').slice(0, 16)}`);
  };
  const noteOutput = (what: string, out: Uint8Array, length: number): number => {
    if (length < 0) lines.push(`${what}: ${length}`);
    else note(what, out.subarray(0, length));
    return length;
  };
  return {
    lines,
    pipeline: {
      ...pipeline,
      async open(setup) {
        const world = await pipeline.open(setup);
        note('secret of the relay', world.relay);
        for (const secret of world.authority ?? []) note('secret of the authority', secret);
        note('directory', world.directory);
        return {
          ...world,
          clients: transcribeClients(synchronousClients(world.clients), note, noteOutput),
        };
      },
      openRelay: (opening) => transcribeRelay(pipeline.openRelay(opening), noteOutput),
      ...(pipeline.openAuthority && {
        openAuthority: (opening) =>
          transcribeAuthority(pipeline.openAuthority!(opening), noteOutput),
      }),
    },
  };
}

type Note = (what: string, bytes: Uint8Array) => void;
type NoteOutput = (what: string, out: Uint8Array, length: number) => number;

function transcribeClients(clients: Clients, note: Note, noteOutput: NoteOutput): Clients {
  const witnessed = (outbox: Outbox): Outbox => {
    let reserved = new Uint8Array(0);
    return {
      reserve(bytes) {
        reserved = outbox.reserve(bytes) as typeof reserved;
        return reserved;
      },
      emit(toUser: number, kind: FrameKind, length: number) {
        note(`${kind} to user ${toUser}`, reserved.subarray(0, length));
        outbox.emit(toUser, kind, length);
      },
    };
  };
  return {
    connect: (user, reply, atMs, out) =>
      noteOutput(`flight of user ${user}`, out, clients.connect(user, reply, atMs, out)),
    publish: (user, atMs, outbox) => clients.publish(user, atMs, witnessed(outbox)),
    initiate: (...given) => clients.initiate(...given),
    send: (session, member, plaintext, atMs, outbox) =>
      clients.send(session, member, plaintext, atMs, witnessed(outbox)),
    receive: (session, member, frame, atMs, out) =>
      noteOutput(
        `received in session ${session}`,
        out,
        clients.receive(session, member, frame, atMs, out),
      ),
    snapshot: (user) => clients.snapshot(user),
    keys: (user) => clients.keys(user),
  };
}

function transcribeRelay(relay: Relay, noteOutput: NoteOutput): Relay {
  return {
    connect: (user, flight, atMs, out) =>
      noteOutput(`answer to user ${user}`, out, relay.connect(user, flight, atMs, out)),
    accept: (from, to, frame, atMs, out) =>
      noteOutput(`stored for user ${to}`, out, relay.accept(from, to, frame, atMs, out)),
    deliver: (to, stored, atMs, out) =>
      noteOutput(`delivered to user ${to}`, out, relay.deliver(to, stored, atMs, out)),
    handOver: (to, stored, out) =>
      noteOutput(`handed over of user ${to}`, out, relay.handOver(to, stored, out)),
  };
}

function transcribeAuthority(authority: Authority, noteOutput: NoteOutput): Authority {
  return {
    recover: (session, member, evidence, out) =>
      noteOutput(
        `recovered of session ${session}`,
        out,
        authority.recover(session, member, evidence, out),
      ),
  };
}
