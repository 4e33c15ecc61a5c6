import type { Clock } from '../../runtime/clock.js';
import { type Datagrams, type Peer, receiveDatagrams } from './datagrams.js';
import { type LineStreams, listenForLines } from './line-streams.js';
import { receiveUnixDatagrams, type UnixDatagrams } from './unix-datagrams.js';

/** Who takes lines. Bytes are its own until it returns. */
export interface LineSink {
  takeDatagram(bytes: Uint8Array, start: number, end: number, from: Peer): void;
  /** A datagram that was cut off: its last line may not be whole. */
  takeCutDatagram(bytes: Uint8Array, from: Peer): void;
  /** Whole lines of a stream. */
  takeLines(bytes: Uint8Array, start: number, end: number, from: Peer): void;
  /** A line of a stream that is longer than it may be. */
  tooLong(from: Peer): void;
  /** Streams wait while this is true; datagrams cannot. */
  isFull(): boolean;
}

export interface LinePortOptions {
  readonly host: string;
  /** UDP and TCP; 0 picks a free one, undefined: neither. */
  readonly port: number | undefined;
  /** A Unix socket for datagrams; undefined: none. */
  readonly socket: string | undefined;
  readonly receiveBufferBytes: number;
  readonly maxLineBytes: number;
  readonly maxConnections: number;
  readonly clock: Pick<Clock, 'after' | 'monotonicMs'>;
  readonly sink: LineSink;
  onError(error: Error): void;
  /** Over UDP, where nothing came in for so long. */
  onResumed(silentMs: number): void;
}

/** Where lines come in, and how many did. */
export interface LinePortFigures {
  readonly port: number | null;
  readonly socket: string | null;
  /** Over UDP and the Unix socket. */
  readonly datagrams: number;
  /** Datagrams over UDP that the kernel threw away for want of room; null where it does not say. */
  readonly datagrams_dropped: number | null;
  /** How often UDP had to begin again. */
  readonly restarts: number;
  /** Why nothing comes in over UDP; null when all is well. */
  readonly waiting_for: string | null;
  /** For UDP, as the kernel granted it; null without UDP. */
  readonly receive_buffer_bytes: number | null;
  readonly connections: number;
  /** Connections that were refused because there were too many. */
  readonly connections_refused: number;
}

/** Lines in datagrams (UDP, Unix) and in streams (TCP). */
export interface LinePort {
  figures(): LinePortFigures;
  /** `waiting_for` of the figures, which cost more. */
  readonly waitingFor: string | undefined;
  close(): Promise<void>;
}

interface Inet {
  readonly streams: LineStreams;
  readonly datagrams: Datagrams;
}

/** @throws Error with the system's `code`, such as EADDRINUSE */
export async function openLinePort(options: LinePortOptions): Promise<LinePort> {
  const { port, socket, receiveBufferBytes, sink, onError } = options;
  const inet = port === undefined ? undefined : await openInet(options, port);
  let unix: UnixDatagrams | undefined;
  try {
    unix =
      socket === undefined
        ? undefined
        : await receiveUnixDatagrams({
            ...{ path: socket, receiveBufferBytes, onError },
            take: (bytes, from) => sink.takeDatagram(bytes, 0, bytes.length, from),
            tookCut: (bytes, from) => sink.takeCutDatagram(bytes, from),
          });
  } catch (error) {
    await closeInet(inet);
    throw error;
  }
  return {
    figures: () => ({
      port: inet?.streams.port ?? null,
      socket: unix?.path ?? null,
      datagrams: (inet?.datagrams.received ?? 0) + (unix?.received ?? 0),
      datagrams_dropped: inet === undefined ? 0 : (inet.datagrams.dropped() ?? null),
      restarts: inet?.datagrams.restarts ?? 0,
      waiting_for: inet?.datagrams.waitingFor ?? null,
      receive_buffer_bytes: inet?.datagrams.receiveBufferBytes ?? null,
      connections: inet?.streams.connections ?? 0,
      connections_refused: inet?.streams.refused ?? 0,
    }),
    get waitingFor() {
      return inet?.datagrams.waitingFor;
    },
    close: async () => {
      await Promise.all([closeInet(inet), unix?.close()]);
    },
  };
}

/** A free TCP port may be taken as a UDP port: another one is tried then. */
const attempts = 5;

async function openInet(options: LinePortOptions, wanted: number): Promise<Inet> {
  const { host, receiveBufferBytes, maxLineBytes, maxConnections, clock, sink, onError, onResumed } = options;
  for (let attempt = 1; ; attempt++) {
    const streams = await listenForLines({
      ...{ host, port: wanted, maxLineBytes, maxConnections, onError },
      take: (bytes, start, end, from) => sink.takeLines(bytes, start, end, from),
      tooLong: (from) => sink.tooLong(from),
      isFull: () => sink.isFull(),
    });
    const { port } = streams;
    try {
      const datagrams = await receiveDatagrams({
        ...{ host, port, receiveBufferBytes, clock, onError, onResumed },
        take: (bytes, start, end, from) => sink.takeDatagram(bytes, start, end, from),
      });
      return { streams, datagrams };
    } catch (error) {
      await streams.close();
      if (wanted !== 0 || attempt === attempts) throw error;
    }
  }
}

async function closeInet(inet: Inet | undefined): Promise<void> {
  await Promise.all([inet?.streams.close(), inet?.datagrams.close()]);
}
