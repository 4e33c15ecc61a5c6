import { Backoff } from '../../runtime/backoff.js';
import type { Clock } from '../../runtime/clock.js';
import { type Peer, Receiver } from './udp/receiver.js';

export type { Peer } from './udp/receiver.js';

export interface DatagramOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** What the kernel is asked to hold for this process while it is busy; it may grant less. */
  readonly receiveBufferBytes: number;
  readonly clock: Pick<Clock, 'after' | 'monotonicMs'>;
  /** `bytes` are its own until it returns. Of datagrams that come in together, only the first one's sender is known. */
  take(bytes: Uint8Array, start: number, end: number, from: Peer): void;
  /** Something is wrong with the socket. Where nothing comes in any more, `waitingFor` says so, and it is tried again. */
  onError(error: Error): void;
  /** After nothing came in for so long, something does again. */
  onResumed(silentMs: number): void;
}

/** A socket on which datagrams come in. */
export interface Datagrams {
  readonly port: number;
  /** As the kernel granted it, with its own overhead. */
  readonly receiveBufferBytes: number;
  /** Datagrams that were taken. */
  readonly received: number;
  /** How often another socket had to be made on this port, because nobody read the one before any more. */
  readonly restarts: number;
  /** Why nothing comes in at the moment. */
  readonly waitingFor: string | undefined;
  /**
   * Datagrams that the kernel threw away, for want of room; undefined where it does not say. Those that were sent while nothing came
   * in are not among them.
   */
  dropped(): number | undefined;
  /** Takes what has come in so far, and nothing more. */
  close(): Promise<void>;
}

/** Everything that is sent meanwhile is lost, so that the first attempts follow each other closely. */
const firstRetryMs = 10;
const maxRetryMs = 5000;
/** A thread that has lived for so long did not die of what the one before died of. */
const steadyMs = 10_000;

/** @throws Error with the system's `code`, such as EADDRINUSE */
export async function receiveDatagrams(options: DatagramOptions): Promise<Datagrams> {
  const lasting = new LastingReceiver(options);
  await lasting.start();
  return lasting;
}

/** Receives on one port for as long as the process lives: a receiver that dies is followed by another. */
class LastingReceiver implements Datagrams {
  port: number;
  receiveBufferBytes = 0;
  restarts = 0;
  waitingFor: string | undefined;
  readonly #options: DatagramOptions;
  readonly #backoff = new Backoff({ firstMs: firstRetryMs, maxMs: maxRetryMs });
  /** undefined while there is none. */
  #receiver: Receiver | undefined;
  /** By receivers that are dead. */
  #receivedBefore = 0;
  #droppedBefore: number | undefined = 0;
  #startedAtMs = 0;
  #diedAtMs = 0;
  #callOff: (() => void) | undefined;
  #restarting: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: DatagramOptions) {
    this.#options = options;
    this.port = options.port;
  }

  get received(): number {
    return this.#receivedBefore + (this.#receiver?.received ?? 0);
  }

  dropped(): number | undefined {
    const now = this.#receiver === undefined ? 0 : this.#receiver.dropped();
    return this.#droppedBefore === undefined || now === undefined ? undefined : this.#droppedBefore + now;
  }

  async start(): Promise<void> {
    const { host, receiveBufferBytes, take, onError, clock } = this.#options;
    const receiver = await Receiver.start({
      ...{ host, port: this.port, receiveBufferBytes, take, onError },
      onDeath: (cause) => this.#died(cause),
    });
    this.#receiver = receiver;
    this.port = receiver.port;
    this.receiveBufferBytes = receiver.receiveBufferBytes;
    this.#startedAtMs = clock.monotonicMs();
  }

  #died(cause: Error): void {
    const nowMs = this.#options.clock.monotonicMs();
    [this.#receivedBefore, this.#droppedBefore] = [this.received, this.dropped()];
    this.#receiver = undefined;
    this.#diedAtMs = nowMs;
    if (nowMs - this.#startedAtMs >= steadyMs) this.#backoff.reset();
    this.#tryAgain(cause);
  }

  #tryAgain(error: Error): void {
    const { clock, onError } = this.#options;
    this.waitingFor = error.message;
    onError(error);
    if (this.#closed !== undefined) return;
    this.#callOff = clock.after(this.#backoff.nextMs(), () => {
      this.#restarting = this.#restart();
    });
  }

  async #restart(): Promise<void> {
    const { clock, onResumed } = this.#options;
    try {
      await this.start();
    } catch (error) {
      this.#tryAgain(error as Error);
      return;
    }
    this.restarts++;
    this.waitingFor = undefined;
    onResumed(clock.monotonicMs() - this.#diedAtMs);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#callOff?.();
    await this.#restarting;
    await this.#receiver?.close();
  }
}
