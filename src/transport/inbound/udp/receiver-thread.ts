/**
 * The thread that reads a UDP socket, and does nothing else: neither a flush nor a collection of garbage on the main thread
 * keeps datagrams waiting where the kernel has room for some hundreds of them only.
 *
 * node:dgram costs 5 to 6 µs a datagram: memory for the longest one, an object for its sender, an event. So only the first one
 * comes that way; those that wait behind it are read from the socket's descriptor straight into the ring, at half the cost and
 * without their senders, until it is empty.
 */
import { Worker } from 'node:worker_threads';
import { RingWriter } from './ring.js';

/** What the thread is started with. */
export interface ReceiverOrder {
  readonly memory: SharedArrayBuffer;
  readonly type: 'udp4' | 'udp6';
  readonly host: string;
  readonly port: number;
  readonly receiveBufferBytes: number;
}

export type FromReceiver =
  | { readonly kind: 'bound'; readonly port: number; readonly receiveBufferBytes: number }
  /** Whatever is wrong with the socket; before it is bound, that it cannot be. */
  | {
      readonly kind: 'failed';
      readonly message: string;
      readonly code: string | undefined;
      readonly syscall: string | undefined;
    }
  /** There is something in the ring. */
  | { readonly kind: 'arrived' };

export type ToReceiver =
  /** The descriptor of the socket, where the system tells it. */
  | { readonly kind: 'read'; readonly descriptor: number }
  /** Close the socket once it is read empty, and end. */
  | { readonly kind: 'close' };

/** It says first whether it is bound, and last, by its end, that nothing more comes. */
export function startReceiver(order: ReceiverOrder): Worker {
  return new Worker(code, {
    eval: true,
    name: 'statsd-udp',
    workerData: order,
    // Neither a loader nor a profiler has a place there.
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 32 },
  });
}

/**
 * Runs in the thread. The executable has no file that a thread could start from, but a function knows its text: so this one, and
 * the writer, use nothing from around them.
 */
function receive(require: NodeJS.Require, Ring: typeof RingWriter): void {
  const { createSocket } = require('node:dgram') as typeof import('node:dgram');
  const { readlinkSync, readSync } = require('node:fs') as typeof import('node:fs');
  const { setPriority } = require('node:os') as typeof import('node:os');
  const { parentPort, workerData } = require('node:worker_threads') as typeof import('node:worker_threads');
  /** Then others have their turn, such as the order to close. */
  const maxReadsPerTurn = 256;
  /** More than any receive buffer holds. */
  const maxReadsAtEnd = 100_000;
  /** How long others may come in after a batch before they are read: a batch costs some 15 µs of its own, and the kernel has room for more than 2 ms. */
  const gatherMs = 0.25;
  /** Before threads of the usual 0: what waits for them is not lost, what waits for this one may be. */
  const priority = -10;
  /** The main thread is told so often at most: that costs each side some 10 µs. */
  const tellMs = 5;

  const main = parentPort!;
  const { memory, type, host, port, receiveBufferBytes } = workerData as ReceiverOrder;
  const ring = new Ring(memory);
  const never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const socket = createSocket({ type, recvBufferSize: receiveBufferBytes });
  let descriptor: number | undefined;
  let toldAtMs = 0;
  let willTell: NodeJS.Timeout | undefined;
  // That the socket is empty is an exception, once a batch; most of what it costs is its stack.
  Error.stackTraceLimit = 0;

  const say = (said: FromReceiver): void => main.postMessage(said);

  /** Where the process may (CAP_SYS_NICE); otherwise it is one thread among others. */
  function goFirst(): void {
    try {
      // "process/task/thread": Linux has priorities for each thread.
      setPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)), priority);
    } catch {
      // Not allowed, or another system.
    }
  }

  function fail(error: NodeJS.ErrnoException): void {
    say({ kind: 'failed', message: error.message, code: error.code, syscall: error.syscall });
  }

  function tell(): void {
    clearTimeout(willTell);
    willTell = undefined;
    toldAtMs = performance.now();
    say({ kind: 'arrived' });
  }

  function roomFor(address?: string, senderPort?: number): number {
    for (;;) {
      const at = ring.room(address, senderPort);
      if (at >= 0) return at;
      tell();
      ring.waitForRoom();
    }
  }

  /** @returns whether that was all */
  function readRest(maxReads: number): boolean {
    if (descriptor === undefined) return true;
    try {
      for (let reads = 0; reads < maxReads; reads++) {
        const at = roomFor();
        ring.add(readSync(descriptor, ring.bytes, at, Ring.maxDatagramBytes, null));
      }
      return false;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') fail(error as Error);
      return true;
    }
  }

  socket.on('message', (bytes, from) => {
    ring.bytes.set(bytes, roomFor(from.address, from.port));
    ring.add(bytes.length);
    const isEmpty = readRest(maxReadsPerTurn);
    if (performance.now() - toldAtMs >= tellMs) tell();
    else willTell ??= setTimeout(tell, tellMs);
    if (isEmpty && descriptor !== undefined) Atomics.wait(never, 0, 0, gatherMs);
  });
  socket.on('error', fail);
  goFirst();
  socket.bind({ address: host, port }, () => {
    const granted = socket.getRecvBufferSize();
    say({ kind: 'bound', port: socket.address().port, receiveBufferBytes: granted });
  });
  main.on('message', (order: ToReceiver) => {
    if (order.kind === 'read') {
      descriptor = order.descriptor;
      return;
    }
    readRest(maxReadsAtEnd);
    tell();
    socket.close();
    main.close();
  });
}

/** tsx names functions by a helper of its own, which it expects around them. */
const code = `const __name = (named) => named; (${receive})(require, ${RingWriter});`;
