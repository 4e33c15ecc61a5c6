import type { ClientStatus, Engine, Recorder } from './engine.js';
import { FoldingEngine } from './folding-engine.js';
import { Counter, Gauge, Percentile, Totals, Unique, ValueBuffer } from './tabs.js';
import type { ClientFault } from './tally.js';

export interface ClientOptions {
  /** Who records: one process, or one host, under a name that survives its restarts. 1 to 1,024 of `A-Z a-z 0-9 . _ ~ : / ? @ ! $ ( ) * + ; = -`. */
  readonly clientId: string;
  /** The agent on this host, or a server: `http://`, `https://`, `ws://` or `wss://`. Default: `http://127.0.0.1:8279`. */
  readonly url?: string;
  /** How long events gather before they are sent. Higher values cost less, and show up later. Default: 250 ms. */
  readonly flushIntervalMs?: number;
  /** While no agent takes them, events gather up to about this size; what is beyond is counted as lost. Default: 32 MiB, enough for some 50,000 tabs. */
  readonly maxBufferBytes?: number;
  /** Default: 5,000 ms. */
  readonly connectTimeoutMs?: number;
  /** A flush without an answer for so long is sent again over a new connection. Default: 30,000 ms. */
  readonly answerTimeoutMs?: number;
  /** Hears of each kind of fault once, with a sample; `status()` has the figures. Default: nobody does. */
  readonly onError?: (fault: ClientFault) => void;
  /** Takes the place of the engine that folds and sends; see `dummyEngine()`. */
  readonly engine?: Engine;
}

/**
 * Records events. Every method that records is cheap, never throws, and never waits.
 *
 * Hold what `counter()` and the like return: recording through it needs no look-up. Best effort: an agent that is away is
 * waited for within `maxBufferBytes`; nothing is ever counted twice. A process that ends by itself gets up to a second for its
 * last flush. `process.exit()` and signals lose what the last flush interval gathered: `await client.close()` before.
 */
export class Client {
  readonly #engine: Engine;
  readonly #recorders = new Map<string, { readonly type: string; readonly recorder: Recorder }>();

  /** Use `createClient`. */
  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** How often, and how much: requests, bids, bytes. */
  counter(name: string): Counter {
    return new Counter(this.tab(name, 'CounterGroup'));
  }

  /** Numbers whose distribution matters: latencies, sizes. */
  percentile(name: string): Percentile {
    return new Percentile(this.tab(name, 'PercentileGroup'));
  }

  /** A sum since the beginning. */
  totals(name: string): Totals {
    return new Totals(this.tab(name, 'TotalsCounter'));
  }

  /** What is the case now. With `expiresSec` a value is forgotten when it has not been set again for so long. */
  gauge(name: string, { expiresSec }: { readonly expiresSec?: number } = {}): Gauge {
    return new Gauge(this.tab(name, expiresSec === undefined ? 'Gauge' : 'ExpiryGauge'), expiresSec);
  }

  /** The latest values themselves. */
  buffer(name: string, { keepSec }: { readonly keepSec: number }): ValueBuffer {
    return new ValueBuffer(this.tab(name, 'Buffer'), keepSec);
  }

  /** How many different ones. */
  unique(name: string): Unique {
    return new Unique(this.tab(name, 'UniqueCounter'));
  }

  /** Any type, by its name. */
  tab(name: string, type: string): Recorder {
    return this.#engine.tab(name, type);
  }

  /** One event, the tab looked up by its name. */
  record(name: string, type: string, value: unknown): void {
    let known = this.#recorders.get(name);
    if (known === undefined || known.type !== type) {
      // Bounded: names made up at run time must not gather here; their tabs are forgotten below as well.
      if (this.#recorders.size >= maxRecorders) this.#recorders.clear();
      known = { type, recorder: this.#engine.tab(name, type) };
      this.#recorders.set(name, known);
    }
    known.recorder.record(value);
  }

  status(): ClientStatus {
    return this.#engine.status();
  }

  /**
   * Sends what waits, now. Keeps the process alive meanwhile.
   * @param deadlineMs default: 5,000
   * @returns whether everything recorded before the call was taken over
   */
  flush(deadlineMs?: number): Promise<boolean> {
    return this.#engine.flush(deadlineMs);
  }

  /**
   * Flushes and disconnects. What could not be sent by the deadline is counted as lost.
   * @param deadlineMs default: 1,000
   */
  close(deadlineMs?: number): Promise<void> {
    return this.#engine.close(deadlineMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const maxRecorders = 20_000;

/**
 * ```ts
 * const taba = createClient({ clientId: 'shop-1' });
 * const bids = taba.counter('bids_won');
 * bids.increment();
 * ```
 *
 * @throws TabaError for options that cannot work; nothing throws later on
 */
export function createClient(options: ClientOptions): Client {
  const { engine, url, flushIntervalMs, maxBufferBytes, connectTimeoutMs, answerTimeoutMs } = options;
  return new Client(
    engine ??
      new FoldingEngine({
        clientId: options.clientId,
        url: url ?? 'http://127.0.0.1:8279',
        flushIntervalMs: flushIntervalMs ?? 250,
        maxBufferBytes: maxBufferBytes ?? 32 * 2 ** 20,
        connectTimeoutMs: connectTimeoutMs ?? 5000,
        answerTimeoutMs: answerTimeoutMs ?? 30_000,
        onError: options.onError,
      }),
  );
}
