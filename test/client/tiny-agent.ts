import { randomBytes } from 'node:crypto';
import { builtinHandlers } from '../../src/core/handlers/registry.js';
import { PartMap } from '../../src/core/parts.js';
import { FlushSessions } from '../../src/core/producer/sessions.js';
import type { FrameLink } from '../../src/transport/frame-link.js';
import type { HttpServer } from '../../src/transport/inbound/http.js';
import { startHttpServer } from '../../src/transport/inbound/http-server.js';
import type { Frame, PushFlush } from '../../src/wire/frame.js';
import { decodePart, readParts } from '../../src/wire/parts.js';

/** How the next flush is treated. */
export type Treatment = 'take' | 'take-silently' | 'ignore' | 'busy' | 'refuse' | 'reject-all';

/** The least that an SDK needs: hello, flushes taken by number, answers. */
export class TinyAgent {
  readonly registry = builtinHandlers();
  readonly parts = new PartMap(this.registry);
  readonly flushes: PushFlush[] = [];
  id = newId();
  maxFrameBytes = 2 ** 20;
  treatment: Treatment = 'take';
  /** Asked for with every acknowledgement; 0 for none. */
  pauseMs = 0;
  sessions = newSessions();
  readonly #links = new Set<FrameLink>();
  #server: HttpServer | undefined;
  #changed: (() => void)[] = [];

  get url(): string {
    return `http://127.0.0.1:${this.#server!.port}`;
  }

  get links(): number {
    return this.#links.size;
  }

  async start(port = 0): Promise<this> {
    this.#server = await startHttpServer({
      host: '127.0.0.1',
      port,
      routes: [],
      maxBodyBytes: 1000,
      maxFrameBytes: 2 ** 22,
      maxConnections: 100,
      frames: {
        open: (link) => {
          this.#links.add(link);
          link.trySend({
            kind: 'hello',
            versions: [2],
            role: 'agent',
            id: this.id,
            name: 'tiny',
            maxFrameBytes: this.maxFrameBytes,
            maxInFlight: 4,
            nowMs: 0,
          });
        },
        frame: (link, frame) => this.#take(link, frame),
        closed: (link) => {
          this.#links.delete(link);
          this.#tell();
        },
      },
    });
    return this;
  }

  /** Another process in its place, as far as an SDK can see. */
  restart(): void {
    this.id = newId();
    this.sessions = newSessions();
    this.cut();
  }

  cut(): void {
    for (const link of this.#links) link.close('cut by the test');
  }

  stop(): void {
    this.#server?.close();
  }

  events(tab: string): number {
    let events = 0;
    for (const entry of this.parts.entries()) if (entry.tab === tab) events += entry.events;
    return events;
  }

  /** Waits until `holds`, looking whenever something has arrived. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#changed.push(resolve));
  }

  #tell(): void {
    const waiting = this.#changed;
    this.#changed = [];
    for (const resolve of waiting) resolve();
  }

  #take(link: FrameLink, frame: Frame): void {
    if (frame.kind !== 'push-flush') return;
    const { session, number } = frame;
    if (frame.payload.length > this.maxFrameBytes) {
      link.close('a frame too large');
      return;
    }
    this.flushes.push(frame);
    const treatment = this.treatment;
    if (treatment === 'busy') {
      this.treatment = 'take';
      link.trySend({ kind: 'flush-nack', session, number, reason: 'busy', retryAfterMs: 1 });
    } else if (treatment === 'refuse') {
      this.treatment = 'take';
      link.trySend({ kind: 'flush-nack', session, number, reason: 'refused', message: 'no' });
    } else if (treatment !== 'ignore') {
      this.#judge(link, frame, treatment);
    }
    this.#tell();
  }

  #judge(link: FrameLink, frame: PushFlush, treatment: Treatment): void {
    const { session, number, payload } = frame;
    const verdict = this.sessions.judge(session, number, 0);
    if (verdict.kind === 'gap') {
      link.trySend({ kind: 'flush-nack', session, number, reason: 'gap', expected: verdict.expected });
      return;
    }
    const records = readParts(payload);
    if (verdict.kind === 'next') {
      this.sessions.taken(session, number, 0);
      if (treatment !== 'reject-all') {
        for (const record of records) {
          const { tab, type, client, events } = record;
          this.parts.reduce(tab, type, client, decodePart(record, this.registry), events);
        }
      }
    }
    if (treatment === 'take-silently') return;
    const rejected =
      treatment === 'reject-all'
        ? records.map(({ tab, client, events }) => ({
            tab,
            client,
            events,
            code: 'denied' as const,
            message: 'on a list',
          }))
        : [];
    const pause = this.pauseMs > 0 ? { pauseMs: this.pauseMs } : {};
    link.trySend({ kind: 'flush-ack', session, number, rejected, ...pause });
  }
}

function newId(): string {
  return randomBytes(16).toString('hex');
}

function newSessions(): FlushSessions {
  return new FlushSessions({ maxSessions: 100, forgetAfterMs: 1e9 });
}
