import type { FrameLink } from '../../../src/transport/frame-link.js';
import { connectFrames } from '../../../src/transport/outbound/frame-client.js';
import type { FlushAck, FlushNack, PushFlush } from '../../../src/wire/frame.js';

const maxFrameBytes = 16 * 2 ** 20;

/** A v2 connection to an agent, as an SDK has one; which flushes are sent on it, and in which order, is up to the scenario. */
export class FlushLink {
  readonly #waiting = new Map<string, ((answer: FlushAck | FlushNack) => void)[]>();
  #link: FrameLink | undefined;

  private constructor() {}

  /** @throws where there is no connection, or the agent refuses it */
  static async connect(url: string, id: string): Promise<FlushLink> {
    const opened = new FlushLink();
    await new Promise<void>((resolve, reject) => {
      connectFrames(
        { url, maxFrameBytes, connectTimeoutMs: 2000, silenceMs: 120_000 },
        {
          open: (link) => {
            opened.#link = link;
            link.trySend({
              ...{ kind: 'hello', versions: [2], role: 'sdk', id, name: 'scenario' },
              ...{ maxFrameBytes, maxInFlight: 2, nowMs: Date.now() },
            });
          },
          frame: (_link, frame) => {
            if (frame.kind === 'hello') resolve();
            if (frame.kind !== 'flush-ack' && frame.kind !== 'flush-nack') return;
            opened.#waiting.get(`${frame.session} ${frame.number}`)?.shift()?.(frame);
          },
          closed: (_link, reason) => reject(new Error(`${url}: ${reason}`)),
        },
      );
    });
    return opened;
  }

  /** Sends a flush once. Resolves with the answer, whenever that comes; not at all when the connection ends first. */
  push(flush: Omit<PushFlush, 'kind'>): Promise<FlushAck | FlushNack> {
    return new Promise((resolve) => {
      const key = `${flush.session} ${flush.number}`;
      this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), resolve]);
      this.#link?.trySend({ kind: 'push-flush', ...flush });
    });
  }

  close(): void {
    this.#link?.close('the scenario is over');
  }
}
