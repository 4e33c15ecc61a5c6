import { chmodSync, lstatSync, rmSync, type Stats } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { DgramSocket } from 'node-unix-socket';
import type { Peer } from './datagrams.js';

export interface UnixDatagramOptions {
  /** Of the socket; what a process that is gone has left there is replaced. */
  readonly path: string;
  /** What the kernel is asked to hold for this process while it is busy; beyond it, senders wait or are told. */
  readonly receiveBufferBytes: number;
  /** `bytes` are its own until it returns. */
  take(bytes: Uint8Array, from: Peer): void;
  /** A datagram that was longer than the system hands over: what is left of it may end anywhere. */
  tookCut(bytes: Uint8Array, from: Peer): void;
  onError(error: Error): void;
}

/** A Unix socket on which datagrams come in. Nothing is lost on the way: a sender for whose datagram there is no room is told. */
export interface UnixDatagrams {
  readonly path: string;
  readonly received: number;
  /** Takes what has come in so far. */
  close(): Promise<void>;
}

/** Everybody on this machine, and in containers that the socket is mounted into, may send. */
const mode = 0o666;
/** The receiver hands over so many bytes of a datagram, and not a word about the others. */
const maxDatagramBytes = 65_535;
/** More than it takes to read what the system holds. */
const maxTurnsAtEnd = 1000;

/** @throws Error with the code EADDRINUSE where somebody listens, or something other than a socket is there */
export async function receiveUnixDatagrams(options: UnixDatagramOptions): Promise<UnixDatagrams> {
  const { path, receiveBufferBytes, take, tookCut, onError } = options;
  // Loaded where it is wanted only: it is native, and does not exist for every system.
  const { DgramSocket: Socket } = await import('node-unix-socket');
  await makeWay(path, () => new Socket());
  const socket = new Socket();
  const from = { address: path, port: 0 };
  let received = 0;
  socket.on('data', (bytes: Uint8Array) => {
    received++;
    if (bytes.length < maxDatagramBytes) take(bytes, from);
    else tookCut(bytes, from);
  });
  socket.on('error', onError);
  try {
    socket.bind(path);
    socket.setRecvBufferSize(receiveBufferBytes);
    chmodSync(path, mode);
  } catch (error) {
    socket.close();
    throw error;
  }
  return {
    path,
    get received() {
      return received;
    },
    close: async () => {
      // Whoever sends from here on is told; of others everything has come in once a turn of the loop brings nothing.
      rmSync(path, { force: true });
      for (let turn = 0, before = -1; turn < maxTurnsAtEnd && before !== received; turn++) {
        before = received;
        await setImmediate();
        await setImmediate();
      }
      socket.close();
    },
  };
}

/** Removes a socket that nobody listens on any more. */
async function makeWay(path: string, socketOf: () => DgramSocket): Promise<void> {
  const found = statsOf(path);
  if (found === undefined) return;
  if (!found.isSocket()) throw inUse(`${path} is there, and no socket`);
  const socket = socketOf();
  // What it complains of comes back to the sender as well.
  socket.on('error', () => {});
  const isHeard = await new Promise<boolean>((resolve) => {
    socket.sendTo(new Uint8Array(1).fill(newline) as Buffer, 0, 1, path, (error) => resolve(error == null));
  });
  socket.close();
  if (isHeard) throw inUse(`another process listens on ${path}`);
  rmSync(path, { force: true });
}

const newline = 10;

function statsOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function inUse(message: string): Error {
  return Object.assign(new Error(message), { code: 'EADDRINUSE' });
}
