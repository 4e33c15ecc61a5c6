import { TabaError } from '../../core/errors.js';
import type { TabName } from '../../core/ids.js';
import type { PartMap } from '../../core/parts.js';
import type { Clock } from '../../runtime/clock.js';
import type { Log } from '../../runtime/log.js';
import { throttled } from '../../runtime/throttled-log.js';
import type { Mapping } from '../mapping/mapping.js';
import type { Samples } from '../samples.js';
import {
  type Peer,
  type StatsdBooks,
  StatsdIntake,
  type StatsdIntakeOptions,
  type StatsdIntakeStatus,
} from './statsd-intake.js';

/** How a node takes StatsD and DogStatsD. */
export interface StatsdOptions {
  /** UDP and TCP; 0 picks a free one, undefined: neither. */
  readonly port?: number;
  /** A Unix socket for datagrams; undefined: none. */
  readonly socket?: string;
  /** What the kernel is asked to hold of datagrams while the node is busy. */
  readonly receiveBufferBytes: number;
  readonly mapping: Mapping;
}

/** Where lines come in. */
export interface StatsdPortFigures {
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

export interface StatsdStatus extends StatsdPortFigures, StatsdIntakeStatus {}

export interface StatsdPort {
  figures(): StatsdPortFigures;
  /** `waiting_for` of the figures, which cost more. */
  readonly waitingFor: string | undefined;
  close(): Promise<void>;
}

/** Who takes lines. Bytes are its own until it returns. */
export interface StatsdLines {
  takeDatagram(bytes: Uint8Array, start: number, end: number, from: Peer): void;
  takeCutDatagram(bytes: Uint8Array, from: Peer): void;
  takeLines(bytes: Uint8Array, start: number, end: number, from: Peer): void;
  tooLong(from: Peer): void;
  isFull(): boolean;
}

export interface OpenStatsdPort {
  readonly port: number | undefined;
  readonly socket: string | undefined;
  readonly receiveBufferBytes: number;
  readonly host: string;
  readonly maxLineBytes: number;
  readonly maxConnections: number;
  readonly clock: Pick<Clock, 'after' | 'monotonicMs'>;
  readonly sink: StatsdLines;
  onError(error: Error): void;
  /** Over UDP, where nothing came in for so long. */
  onResumed(silentMs: number): void;
}

/** The node's counters that StatsD adds to. */
export interface StatsdCounters {
  receive(events: number): void;
  reject(code: string, events: number): void;
  drop(reason: string, events: number): void;
  clamp(events: number): void;
}

export interface StatsdDoorOptions
  extends Omit<StatsdIntakeOptions, 'mapping' | 'books' | 'handOver' | 'limits'> {
  readonly statsd: StatsdOptions;
  readonly host: string;
  readonly limits: StatsdIntakeOptions['limits'] & { readonly maxConnections: number };
  readonly counters: StatsdCounters;
  readonly samples: Samples;
  readonly clock: Clock;
  readonly log: Log;
  /** What came in waits so long at most; where it is undefined, until `handOver` is called. */
  readonly handOverMs: number | undefined;
  /** @throws Error with the system's `code`, such as EADDRINUSE */
  open(options: OpenStatsdPort): Promise<StatsdPort>;
  /** See `StatsdIntakeOptions`. */
  handOver(parts: PartMap, gauges: readonly (readonly [TabName, number])[]): void;
}

/** A line of a stream may be as long as a datagram. */
const maxLineBytes = 65_536;
/** How long what came in waits, gathered, where being taken makes it safe: until then it is lost when the process is killed. */
export const safeWithinMs = 100;
const newline = 10;

/** Where StatsD comes into a node, and what is gathered behind it. */
export class StatsdDoor implements StatsdLines {
  readonly #options: StatsdDoorOptions;
  readonly #intake: StatsdIntake;
  #port: StatsdPort | undefined;
  #callOff: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: StatsdDoorOptions) {
    const { statsd, counters, samples } = options;
    const books: StatsdBooks = {
      receive: (events) => counters.receive(events),
      reject: (code, events) => counters.reject(code, events),
      drop: (reason, events) => counters.drop(reason, events),
      clamp: (events) => counters.clamp(events),
      sample: ({ address, port }, code, message) =>
        samples.add(port === 0 ? address : `${address}:${port}`, code, message),
    };
    this.#options = options;
    this.#intake = new StatsdIntake({ ...options, books, mapping: statsd.mapping });
  }

  /** @throws TabaError `port_in_use`, `bad_setting` */
  async open(): Promise<void> {
    const { statsd, host, limits, clock, open } = this.#options;
    const log = throttled(this.#options.log, { clock });
    const { port, socket, receiveBufferBytes } = statsd;
    try {
      this.#port = await open({
        ...{ host, port, socket, receiveBufferBytes, maxLineBytes },
        maxConnections: limits.maxConnections,
        ...{ clock, sink: this },
        onError: (error) => log.error('statsd_failed', { error: error.message }),
        onResumed: (silentMs) => log.info('statsd_resumed', { silentMs: Math.round(silentMs) }),
      });
    } catch (error) {
      throw asPortFault(error, host, statsd);
    }
    const granted = this.#port.figures().receive_buffer_bytes ?? receiveBufferBytes;
    if (granted < receiveBufferBytes) {
      log.warn('statsd_receive_buffer_small', {
        asked: receiveBufferBytes,
        granted,
        hint: 'the kernel grants no more: raise net.core.rmem_max',
      });
    }
    this.#schedule();
  }

  takeDatagram(bytes: Uint8Array, start: number, end: number, from: Peer): void {
    this.#intake.take(bytes, start, end, from, false);
  }

  takeCutDatagram(bytes: Uint8Array, from: Peer): void {
    this.#intake.take(bytes, 0, bytes.lastIndexOf(newline) + 1, from, false);
    this.#intake.reject('bad_event', `a datagram of ${bytes.length} bytes or more, whose end is gone`, from);
  }

  takeLines(bytes: Uint8Array, start: number, end: number, from: Peer): void {
    this.#intake.take(bytes, start, end, from, true);
  }

  tooLong(from: Peer): void {
    this.#intake.reject('bad_event', `a line of more than ${maxLineBytes} bytes`, from);
  }

  isFull(): boolean {
    return this.#intake.isStuck;
  }

  /** Events that were received and are not handed over yet. */
  get waiting(): number {
    return this.#intake.waiting;
  }

  /** Why nothing comes in at the moment on one of the ways. */
  get waitingFor(): string | undefined {
    const reason = this.#port?.waitingFor;
    return reason === undefined ? undefined : `StatsD over UDP: ${reason}`;
  }

  /** Last values of gauges, for a spool that is written anew. */
  gauges(): Iterable<readonly [TabName, number]> {
    return this.#intake.gauges();
  }

  setMapping(mapping: Mapping): void {
    this.#intake.setMapping(mapping);
  }

  status(): StatsdStatus | null {
    if (this.#port === undefined) return null;
    return { ...this.#port.figures(), ...this.#intake.status() };
  }

  /** Hands over what came in so far. */
  handOver(): void {
    this.#intake.handOver();
  }

  #schedule(): void {
    const { handOverMs, clock } = this.#options;
    if (handOverMs === undefined) return;
    this.#callOff = clock.after(handOverMs, () => {
      this.#intake.handOver();
      this.#schedule();
    });
  }

  /** Takes nothing more, and hands over what is here. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#port?.close();
    this.#callOff?.();
    this.#intake.handOver();
  }
}

function asPortFault(error: unknown, host: string, { port, socket }: StatsdOptions): Error {
  const { code, message, path, syscall } = error as NodeJS.ErrnoException;
  const ofSocket = path !== undefined || syscall === undefined;
  if (code !== 'EADDRINUSE') {
    const where = ofSocket ? `statsd-socket: ${socket}` : `statsd-port: ${host}:${port}`;
    return new TabaError('bad_setting', `${where}: cannot listen: ${message}`);
  }
  const what = ofSocket ? `statsd-socket: ${message}` : `statsd-port: ${host}:${port} is in use`;
  return new TabaError('port_in_use', what);
}

/** `statsd` of a status, for people. */
export function renderStatsd(statsd: StatsdStatus): string[] {
  const dropped = statsd.datagrams_dropped ?? 'an unknown number';
  const buffer =
    statsd.receive_buffer_bytes === null ? '' : ` (receive buffer ${statsd.receive_buffer_bytes} bytes)`;
  const where = [
    ...(statsd.port === null ? [] : [`port ${statsd.port}`]),
    ...(statsd.socket === null ? [] : [statsd.socket]),
  ];
  const { waiting_for: waitingFor } = statsd;
  return [
    `statsd on ${where.join(' and ')}: ${statsd.datagrams} datagrams, ${dropped} dropped by the kernel${buffer}, ` +
      `${statsd.connections} connections, ${statsd.connections_refused} refused`,
    `  ${statsd.series} series, ${statsd.gauges} gauges, ${statsd.rules} mapping rules, ${statsd.waiting} events gathered; ` +
      `ignored: ${statsd.events_ignored} events, ${statsd.service_checks_ignored} service checks`,
    ...(waitingFor === null ? [] : [`  nothing comes in over UDP: ${waitingFor}`]),
  ];
}
