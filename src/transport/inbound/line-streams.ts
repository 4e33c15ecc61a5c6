import { createServer, type Server, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { Peer } from './datagrams.js';

export interface LineStreamOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** A longer line is a fault, and is skipped up to its end. */
  readonly maxLineBytes: number;
  readonly maxConnections: number;
  /** Whole lines: `bytes` from `start` up to `end`, which ends with a newline except at the end of a stream. */
  take(bytes: Uint8Array, start: number, end: number, from: Peer): void;
  /** A line that is too long. Called once for it. */
  tooLong(from: Peer): void;
  /** Nothing is read while this is true: senders feel it, and wait. */
  isFull(): boolean;
  onError(error: Error): void;
}

/** A socket on which streams of lines come in. */
export interface LineStreams {
  readonly port: number;
  readonly connections: number;
  /** Connections that were refused because there were too many. */
  readonly refused: number;
  /** Ends listening, and all connections once what they had sent is read. */
  close(): Promise<void>;
}

const newline = 10;
/** How often it is looked whether there is room again. */
const roomPollMs = 20;
/** So much is read of a connection at its end, and no more of one that goes on sending: what the system holds for it is less. */
const maxBytesAtEnd = 2 ** 23;
/** A peer that says nothing for so long is asked whether it is still there: those that vanished would keep their places for ever. */
const keepAliveInitialDelay = 60_000;

/** @throws Error with the system's `code`, such as EADDRINUSE */
export async function listenForLines(options: LineStreamOptions): Promise<LineStreams> {
  const { host, port, maxConnections, onError } = options;
  const open = new Set<LineStream>();
  let refused = 0;
  const server = createServer({ keepAlive: true, keepAliveInitialDelay }, (socket) => {
    if (open.size >= maxConnections) {
      refused++;
      socket.destroy();
      return;
    }
    const stream = new LineStream(socket, options, () => open.delete(stream));
    open.add(stream);
  });
  await listening(server, host, port);
  server.on('error', onError);
  return {
    port: (server.address() as { port: number }).port,
    get connections() {
      return open.size;
    },
    get refused() {
      return refused;
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      await Promise.all([...open].map((stream) => stream.end()));
      await closed;
    },
  };
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** One connection: its bytes, cut where lines end. */
class LineStream {
  readonly #socket: Socket;
  readonly #options: LineStreamOptions;
  readonly #from: Peer;
  /** The beginning of a line whose end has not come yet. */
  #rest: Buffer = Buffer.alloc(0);
  /** Within a line that was too long. */
  #skips = false;
  #waiting: NodeJS.Timeout | undefined;
  #isEnding = false;

  constructor(socket: Socket, options: LineStreamOptions, ended: () => void) {
    this.#socket = socket;
    this.#options = options;
    this.#from = { address: socket.remoteAddress ?? 'gone', port: socket.remotePort ?? 0 };
    socket.on('data', (bytes) => this.#take(bytes));
    socket.on('end', () => this.#last());
    // A connection that breaks says so on both sides; what came before is counted.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#last();
      clearTimeout(this.#waiting);
      ended();
    });
  }

  /** Reads what has come in, and nothing more; a line that has no end yet is taken as it is. */
  async end(): Promise<void> {
    const socket = this.#socket;
    this.#isEnding = true;
    clearTimeout(this.#waiting);
    socket.resume();
    const before = socket.bytesRead;
    for (let read = -1; read !== socket.bytesRead && socket.bytesRead - before < maxBytesAtEnd; ) {
      read = socket.bytesRead;
      // Between two turns' ends, the loop looks at every connection.
      await setImmediate();
      await setImmediate();
    }
    this.#last();
    socket.destroy();
  }

  #take(bytes: Buffer): void {
    let chunk = bytes;
    if (this.#skips) {
      const at = chunk.indexOf(newline);
      if (at < 0) return;
      this.#skips = false;
      chunk = chunk.subarray(at + 1);
    }
    const end = chunk.lastIndexOf(newline) + 1;
    if (this.#rest.length > 0 && end > 0) {
      const first = chunk.indexOf(newline) + 1;
      const line = Buffer.concat([this.#rest, chunk.subarray(0, first)]);
      this.#rest = Buffer.alloc(0);
      this.#options.take(line, 0, line.length, this.#from);
      if (end > first) this.#options.take(chunk, first, end, this.#from);
    } else if (end > 0) {
      this.#options.take(chunk, 0, end, this.#from);
    }
    this.#keep(chunk.subarray(end));
    if (!this.#isEnding && this.#options.isFull()) this.#wait();
  }

  #keep(rest: Buffer): void {
    if (rest.length === 0) return;
    if (this.#rest.length + rest.length > this.#options.maxLineBytes) {
      this.#rest = Buffer.alloc(0);
      this.#skips = true;
      this.#options.tooLong(this.#from);
      return;
    }
    // A copy: the rest of a chunk would keep all of it.
    this.#rest = Buffer.concat([this.#rest, rest]);
  }

  #wait(): void {
    this.#socket.pause();
    this.#waiting = setTimeout(() => {
      if (this.#options.isFull()) this.#wait();
      else this.#socket.resume();
    }, roomPollMs);
  }

  #last(): void {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    if (rest.length > 0) this.#options.take(rest, 0, rest.length, this.#from);
  }
}
