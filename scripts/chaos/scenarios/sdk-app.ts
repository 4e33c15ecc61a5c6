import { setTimeout as pause } from 'node:timers/promises';
import { type Client, createClient } from '../../../src/client/index.js';
import { type ClientReport, type Ledger, nextEvent } from '../load.js';
import { SeededRandom } from '../random.js';
import { ScenarioFailure } from './scenario.js';

export interface SdkAppOptions {
  readonly client: string;
  readonly url: string;
  readonly seed: number;
  readonly tabs?: number;
}

/** An application that records through the SDK, and remembers what. */
export class SdkApp {
  readonly #client: Client;
  readonly #options: SdkAppOptions;
  readonly #random: SeededRandom;
  readonly #ledger: Ledger = new Map();

  constructor(options: SdkAppOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#client = createClient({ clientId: options.client, url: options.url, flushIntervalMs: 50 });
  }

  record(events: number): void {
    for (let left = events; left > 0; left--) {
      const { tab, type, value } = nextEvent(this.#random, this.#options.tabs ?? 64, this.#ledger);
      this.#client.record(tab, type, value);
    }
  }

  /** What it has recorded so far. */
  get report(): ClientReport {
    return { client: this.#options.client, ledger: [...this.#ledger] };
  }

  get buffered(): number {
    return this.#client.status().buffered;
  }

  /** Events that the SDK itself says it has lost, or that were refused. */
  get lost(): number {
    const { lost, rejected } = this.#client.status();
    return lost + rejected;
  }

  /** Waits until the agent has taken everything over. @throws ScenarioFailure */
  async handOver(deadlineMs = 20_000): Promise<void> {
    const endMs = performance.now() + deadlineMs;
    while (this.buffered > 0) {
      if (performance.now() > endMs) {
        throw new ScenarioFailure(`the agent has not taken ${this.buffered} events of the application`);
      }
      await this.#client.flush(500);
      await pause(20);
    }
  }

  close(): Promise<void> {
    return this.#client.close(0);
  }
}
