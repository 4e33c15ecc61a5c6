import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
import type { Frame } from '../../../src/wire/frame.js';
import { decodeFrame } from '../../../src/wire/frame-codec.js';

/** `up`: towards the target. `pass` sends the frame on, now or later, as often as it is called; not at all loses it. */
export type Intercept = (frame: Frame, way: 'up' | 'down', pass: () => void) => void;

const maxFrameBytes = 64 * 2 ** 20;

/** Stands between two nodes that speak v2, and decides about every single frame. */
export class FrameRelay {
  readonly port: number;
  /** Frames pass unless this says otherwise. */
  intercept: Intercept = (_frame, _way, pass) => pass();
  readonly #server: WebSocketServer;
  readonly #targetUrl: () => string;
  readonly #pairs = new Set<readonly [WebSocket, WebSocket]>();
  #refuses = false;

  private constructor(server: WebSocketServer, port: number, targetUrl: () => string) {
    this.#server = server;
    this.port = port;
    this.#targetUrl = targetUrl;
  }

  /** @param targetUrl http://host:port, asked at each connection */
  static async start(targetUrl: () => string): Promise<FrameRelay> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: maxFrameBytes });
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the relay has no port');
    const relay = new FrameRelay(server, address.port, targetUrl);
    server.on('connection', (near) => relay.#join(near));
    return relay;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  #join(near: WebSocket): void {
    if (this.#refuses) {
      near.terminate();
      return;
    }
    const far = new WebSocket(`${this.#targetUrl().replace('http', 'ws')}/v2`, {
      perMessageDeflate: false,
      maxPayload: maxFrameBytes,
    });
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    const part = (): void => {
      this.#pairs.delete(pair);
      near.terminate();
      far.terminate();
    };
    // What comes before the other side is there waits in order.
    const connected = once(far, 'open');
    connected.catch(part);
    this.#carry(near, far, 'up', connected);
    this.#carry(far, near, 'down', connected);
    for (const socket of pair) {
      socket.on('close', part);
      socket.on('error', part);
    }
  }

  #carry(from: WebSocket, to: WebSocket, way: 'up' | 'down', connected: Promise<unknown>): void {
    from.on('message', (data: Buffer) => {
      const bytes = Buffer.from(data);
      connected.then(
        () => this.intercept(decodeFrame(new Uint8Array(bytes)), way, () => to.send(bytes, () => {})),
        () => {},
      );
    });
  }

  /** @returns how many connections were cut */
  cut(): number {
    const pairs = [...this.#pairs];
    for (const [near, far] of pairs) {
      near.terminate();
      far.terminate();
    }
    return pairs.length;
  }

  /** New connections are ended at once, until `accept`. */
  refuse(): void {
    this.#refuses = true;
  }

  accept(): void {
    this.#refuses = false;
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
