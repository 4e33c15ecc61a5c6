import type { Worker } from 'node:worker_threads';
import { type KernelSocket, kernelSocketOf } from './kernel-socket.js';
import { type FromReceiver, type ReceiverOrder, startReceiver, type ToReceiver } from './receiver-thread.js';
import { RingReader, ringOf } from './ring.js';

/** Where a datagram, or a piece of a stream, came from. */
export interface Peer {
  readonly address: string;
  /** 0 where there is none. */
  readonly port: number;
}

export interface ReceiverOptions extends Omit<ReceiverOrder, 'memory' | 'type'> {
  /** See `DatagramOptions`. */
  take(bytes: Uint8Array, start: number, end: number, from: Peer): void;
  /** Something is wrong with the socket, on which more may come in nevertheless. */
  onError(error: Error): void;
  /** What had come in is taken, and nothing more comes. Not called of a receiver that is closed. */
  onDeath(cause: Error): void;
}

type Bound = FromReceiver & { kind: 'bound' };

/**
 * Holds what comes in while the main thread is busy: at 60 MB/s, the most that was seen to be borne, for 0.28 s, some of which an agent
 * needs that has just begun. When it is full, the receiver waits, and what the kernel has no room for is dropped and counted there.
 */
const ringBytes = 16 * 2 ** 20;
const unknownPeer: Peer = { address: 'udp', port: 0 };

/** One thread that reads one socket, for as long as it lives. */
export class Receiver {
  readonly port: number;
  /** As the kernel granted it, with its own overhead. */
  readonly receiveBufferBytes: number;
  received = 0;
  readonly #options: ReceiverOptions;
  readonly #thread: Worker;
  readonly #ring: RingReader;
  readonly #kernel: KernelSocket | undefined;
  readonly #ended: Promise<void>;
  #dropped = 0;
  #isClosing = false;

  /** @throws Error with the system's `code`, such as EADDRINUSE */
  static async start(options: ReceiverOptions): Promise<Receiver> {
    const { host, port, receiveBufferBytes } = options;
    const memory = ringOf(ringBytes);
    const type = host.includes(':') ? 'udp6' : 'udp4';
    const thread = startReceiver({ memory, type, host, port, receiveBufferBytes });
    try {
      const bound = await answerOf(thread);
      return new Receiver(options, thread, new RingReader(memory), bound, kernelSocketOf(type, bound.port));
    } catch (error) {
      await thread.terminate();
      throw error;
    }
  }

  private constructor(
    options: ReceiverOptions,
    thread: Worker,
    ring: RingReader,
    { port, receiveBufferBytes }: Bound,
    kernel: KernelSocket | undefined,
  ) {
    this.port = port;
    this.receiveBufferBytes = receiveBufferBytes;
    this.#options = options;
    this.#thread = thread;
    this.#ring = ring;
    this.#kernel = kernel;
    this.#ended = new Promise((resolve) => thread.once('exit', () => resolve()));
    let cause: Error | undefined;
    thread.on('message', (said: FromReceiver) => {
      if (said.kind === 'failed') options.onError(asError(said));
      else this.#drain();
    });
    thread.on('error', (error) => {
      cause = error;
    });
    thread.on('exit', (code) => {
      this.#drain();
      const why = cause?.message ?? `exit code ${code}`;
      if (!this.#isClosing) options.onDeath(new Error(`the thread that reads UDP has ended: ${why}`));
    });
    if (kernel !== undefined) this.#tell({ kind: 'read', descriptor: kernel.descriptor });
  }

  /** Datagrams that the kernel threw away, as it said last: of a socket that is closed it says nothing. undefined where it never does. */
  dropped(): number | undefined {
    if (this.#kernel === undefined) return undefined;
    this.#dropped = this.#kernel.dropped() ?? this.#dropped;
    return this.#dropped;
  }

  /** Takes what has come in so far, and nothing more. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.dropped();
    this.#tell({ kind: 'close' });
    await this.#ended;
  }

  #tell(order: ToReceiver): void {
    this.#thread.postMessage(order);
  }

  #drain(): void {
    this.#ring.drain((bytes, start, end, address, port) => {
      this.received++;
      this.#options.take(bytes, start, end, address === '' ? unknownPeer : { address, port });
    });
  }
}

/** The first that the thread says. */
function answerOf(thread: Worker): Promise<Bound> {
  return new Promise((resolve, reject) => {
    thread.once('error', reject);
    thread.once('exit', (code) => reject(new Error(`it ended before it was bound: exit code ${code}`)));
    thread.once('message', (said: FromReceiver) => {
      if (said.kind === 'bound') resolve(said);
      else
        reject(said.kind === 'failed' ? asError(said) : new Error(`said before it was bound: ${said.kind}`));
    });
  });
}

function asError({ message, code, syscall }: FromReceiver & { kind: 'failed' }): Error {
  return Object.assign(new Error(message), { code, syscall });
}
