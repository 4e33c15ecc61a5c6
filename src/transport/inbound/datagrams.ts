import type { Worker } from 'node:worker_threads';
import { kernelSocketOf } from './udp/kernel-socket.js';
import { type FromReceiver, startReceiver, type ToReceiver } from './udp/receiver-thread.js';
import { RingReader, ringOf } from './udp/ring.js';

/** Where a datagram, or a piece of a stream, came from. */
export interface Peer {
  readonly address: string;
  /** 0 where there is none. */
  readonly port: number;
}

export interface DatagramOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** What the kernel is asked to hold for this process while it is busy; it may grant less. */
  readonly receiveBufferBytes: number;
  /** `bytes` are its own until it returns. Of datagrams that come in together, only the first one's sender is known. */
  take(bytes: Uint8Array, start: number, end: number, from: Peer): void;
  onError(error: Error): void;
}

/** A socket on which datagrams come in. */
export interface Datagrams {
  readonly port: number;
  /** As the kernel granted it, with its own overhead. */
  readonly receiveBufferBytes: number;
  /** Datagrams that were taken. */
  readonly received: number;
  /** Datagrams that the kernel threw away since the socket was bound, for want of room; undefined where it does not say. */
  dropped(): number | undefined;
  /** Takes what has come in so far, and nothing more. */
  close(): Promise<void>;
}

/**
 * Holds what comes in while the main thread is busy: at 60 MB/s, the most that was seen to be borne, for 0.28 s, some of which an agent
 * needs that has just begun. When it is full, the receiver waits, and what the kernel has no room for is dropped and counted there.
 */
const ringBytes = 16 * 2 ** 20;
const unknownPeer: Peer = { address: 'udp', port: 0 };

/** @throws Error with the system's `code`, such as EADDRINUSE */
export async function receiveDatagrams(options: DatagramOptions): Promise<Datagrams> {
  const { host, port, receiveBufferBytes, take, onError } = options;
  const memory = ringOf(ringBytes);
  const type = host.includes(':') ? 'udp6' : 'udp4';
  const thread = startReceiver({ memory, type, host, port, receiveBufferBytes });
  const tell = (order: ToReceiver): void => thread.postMessage(order);
  const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
  const bound = await answerOf(thread).catch(async (error) => {
    await thread.terminate();
    throw error;
  });

  const kernel = kernelSocketOf(type, bound.port);
  if (kernel !== undefined) tell({ kind: 'read', descriptor: kernel.descriptor });
  const ring = new RingReader(memory);
  let received = 0;
  const drain = () =>
    ring.drain((bytes, start, end, address, peerPort) => {
      received++;
      take(bytes, start, end, address === '' ? unknownPeer : { address, port: peerPort });
    });
  let isClosing = false;
  thread.on('message', (said: FromReceiver) => {
    if (said.kind === 'failed') onError(asError(said));
    else drain();
  });
  thread.on('error', onError);
  thread.on('exit', () => {
    if (!isClosing) onError(new Error('the thread that receives datagrams has ended'));
  });
  return {
    port: bound.port,
    receiveBufferBytes: bound.receiveBufferBytes,
    get received() {
      return received;
    },
    dropped: () => kernel?.dropped(),
    close: async () => {
      if (!isClosing) tell({ kind: 'close' });
      isClosing = true;
      await ended;
      drain();
    },
  };
}

/** The first that the thread says. */
function answerOf(thread: Worker): Promise<FromReceiver & { kind: 'bound' }> {
  return new Promise((resolve, reject) => {
    thread.once('error', reject);
    thread.once('message', (said: FromReceiver) => {
      thread.off('error', reject);
      if (said.kind === 'bound') resolve(said);
      else
        reject(said.kind === 'failed' ? asError(said) : new Error(`said before it was bound: ${said.kind}`));
    });
  });
}

function asError({ message, code, syscall }: FromReceiver & { kind: 'failed' }): Error {
  return Object.assign(new Error(message), { code, syscall });
}
