import { type Datagrams, type Peer, receiveDatagrams } from './datagrams.js';
import { type LineStreams, listenForLines } from './line-streams.js';

/** Who takes lines. Bytes are its own until it returns. */
export interface LineSink {
  takeDatagram(bytes: Uint8Array, from: Peer): void;
  /** Whole lines of a stream. */
  takeLines(bytes: Uint8Array, start: number, end: number, from: Peer): void;
  /** A line of a stream that is longer than it may be. */
  tooLong(from: Peer): void;
  /** Streams wait while this is true; datagrams cannot. */
  isFull(): boolean;
}

export interface LinePortOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly receiveBufferBytes: number;
  readonly maxLineBytes: number;
  readonly maxConnections: number;
  readonly sink: LineSink;
  onError(error: Error): void;
}

/** A port on which lines come in, in datagrams (UDP) and in streams (TCP). */
export interface LinePort {
  readonly port: number;
  readonly datagrams: Datagrams;
  readonly streams: LineStreams;
  close(): Promise<void>;
}

/** A free TCP port may be taken as a UDP port: another one is tried then. */
const attempts = 5;

/** @throws Error with the system's `code`, such as EADDRINUSE */
export async function openLinePort(options: LinePortOptions): Promise<LinePort> {
  const { host, receiveBufferBytes, maxLineBytes, maxConnections, sink, onError } = options;
  for (let attempt = 1; ; attempt++) {
    const streams = await listenForLines({
      ...{ host, port: options.port, maxLineBytes, maxConnections, onError },
      take: (bytes, start, end, from) => sink.takeLines(bytes, start, end, from),
      tooLong: (from) => sink.tooLong(from),
      isFull: () => sink.isFull(),
    });
    const { port } = streams;
    try {
      const datagrams = await receiveDatagrams({
        ...{ host, port, receiveBufferBytes, onError },
        take: (bytes, from) => sink.takeDatagram(bytes, from),
      });
      const close = async (): Promise<void> => {
        await Promise.all([streams.close(), datagrams.close()]);
      };
      return { port, datagrams, streams, close };
    } catch (error) {
      await streams.close();
      if (options.port !== 0 || attempt === attempts) throw error;
    }
  }
}
