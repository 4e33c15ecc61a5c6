import { TabaError } from '../core/errors.js';
import type { Mapping } from '../intake/mapping/mapping.js';
import { StatsdIntake, type StatsdIntakeStatus } from '../intake/statsd/statsd-intake.js';
import { type LinePort, openLinePort } from '../transport/inbound/line-port.js';
import type { AgentOptions } from './options.js';
import type { Reception } from './reception.js';
import type { GaugeValue } from './spool/record.js';

/** How an agent takes StatsD and DogStatsD. */
export interface StatsdOptions {
  /** UDP and TCP; 0 picks a free one. */
  readonly port: number;
  /** What the kernel is asked to hold of UDP while the agent is busy. */
  readonly receiveBufferBytes: number;
  readonly mapping: Mapping;
}

export interface StatsdStatus extends StatsdIntakeStatus {
  readonly port: number;
  readonly datagrams: number;
  /** Datagrams that the kernel threw away for want of room; null where it does not say. */
  readonly datagrams_dropped: number | null;
  readonly receive_buffer_bytes: number;
  readonly connections: number;
  /** Connections that were refused because there were too many. */
  readonly connections_refused: number;
}

export interface StatsdDoorOptions {
  readonly agent: Pick<
    AgentOptions,
    'host' | 'registry' | 'limits' | 'denyLists' | 'maxBufferedPairs' | 'clock' | 'log'
  >;
  readonly statsd: StatsdOptions;
  readonly reception: Reception;
  /** Pairs of tab and client that may wait here while there is no room behind. */
  readonly maxPairs: number;
  /** Last values of gauges, as the spool kept them. */
  readonly gauges: Iterable<GaugeValue>;
}

/** A line of a stream may be as long as a datagram. */
const maxLineBytes = 65_536;
/** What came in waits so long at most, gathered, before it is taken: until then it is lost when the process is killed. */
const handOverMs = 100;

/** The port on which StatsD comes into an agent, and what is gathered behind it. */
export class StatsdDoor {
  readonly #options: StatsdDoorOptions;
  readonly #intake: StatsdIntake;
  #port: LinePort | undefined;
  #callOff: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: StatsdDoorOptions) {
    const { agent, statsd, reception, maxPairs, gauges } = options;
    const { registry, limits, denyLists, clock } = agent;
    const { door, samples } = reception;
    this.#options = options;
    this.#intake = new StatsdIntake({
      ...{ registry, limits, client: reception.client, deny: denyLists, mapping: statsd.mapping },
      ...{ maxPairs, clock, gauges },
      books: {
        receive: (events) => {
          door.received += events;
        },
        reject: (code, events) => door.reject(code, events),
        drop: (reason, events) => door.drop(reason, events),
        clamp: (events) => {
          door.clamped += events;
        },
        sample: ({ address, port }, code, message) => samples.add(`${address}:${port}`, code, message),
      },
      nextSequence: () => reception.nextSequence(),
      handOver: (parts, changed) => reception.takeGathered(parts, changed),
    });
  }

  /** @throws TabaError `port_in_use`, `bad_setting` */
  async open(): Promise<void> {
    const { agent, statsd } = this.#options;
    const { host, limits, log } = agent;
    const intake = this.#intake;
    try {
      this.#port = await openLinePort({
        ...{ host, port: statsd.port, receiveBufferBytes: statsd.receiveBufferBytes },
        ...{ maxLineBytes, maxConnections: limits.maxConnections },
        sink: {
          takeDatagram: (bytes, from) => intake.take(bytes, 0, bytes.length, from, false),
          takeLines: (bytes, start, end, from) => intake.take(bytes, start, end, from, true),
          tooLong: (from) => intake.reject('bad_event', `a line of more than ${maxLineBytes} bytes`, from),
          isFull: () => intake.isStuck,
        },
        onError: (error) => log.error('statsd_failed', { error: error.message }),
      });
    } catch (error) {
      throw asPortFault(error, host, statsd.port);
    }
    const granted = this.#port.datagrams.receiveBufferBytes;
    if (granted < statsd.receiveBufferBytes) {
      log.warn('statsd_receive_buffer_small', {
        asked: statsd.receiveBufferBytes,
        granted,
        hint: 'the kernel grants no more: raise net.core.rmem_max',
      });
    }
    this.#schedule();
  }

  /** Events that were received and are not handed over yet. */
  get waiting(): number {
    return this.#intake.waiting;
  }

  /** Last values of gauges, for a spool that is written anew. */
  gauges(): Iterable<GaugeValue> {
    return this.#intake.gauges();
  }

  setMapping(mapping: Mapping): void {
    this.#intake.setMapping(mapping);
  }

  status(): StatsdStatus | null {
    if (this.#port === undefined) return null;
    const { port, datagrams, streams } = this.#port;
    return {
      port,
      ...this.#intake.status(),
      datagrams: datagrams.received,
      datagrams_dropped: datagrams.dropped() ?? null,
      receive_buffer_bytes: datagrams.receiveBufferBytes,
      connections: streams.connections,
      connections_refused: streams.refused,
    };
  }

  #schedule(): void {
    this.#callOff = this.#options.agent.clock.after(handOverMs, () => {
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

function asPortFault(error: unknown, host: string, port: number): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return new TabaError('port_in_use', `statsd-port: ${host}:${port} is in use`);
  return new TabaError('bad_setting', `statsd-port: cannot listen on ${host}:${port}: ${message}`);
}
