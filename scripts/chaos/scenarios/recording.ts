import type { SdkApp } from './sdk-app.js';

const tickMs = 10;

/** An application at work: records all the time, until it is told to end. */
export class Recording {
  readonly #timer: NodeJS.Timeout;

  constructor(app: SdkApp, { eventsPerTick }: { readonly eventsPerTick: number }) {
    this.#timer = setInterval(() => app.record(eventsPerTick), tickMs);
  }

  /** Idempotent. */
  end(): void {
    clearInterval(this.#timer);
  }
}
