import type { ClientRequestArgs } from 'node:http';
import { connect as connectPlain, isIP, type NetConnectOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import WebSocket from 'ws';
import { TabaError } from '../../core/errors.js';
import type { Clock } from '../../runtime/clock.js';
import { systemClock } from '../../runtime/system-clock.js';
import type { Frame } from '../../wire/frame.js';
import { decodeFrame, encodeFrame } from '../../wire/frame-codec.js';
import type { FrameLink, FrameLinkEvents } from '../frame-link.js';

export interface FrameClientOptions {
  /** http(s):// or ws(s)://host:port; the path is /v2 unless one is given. Host names are resolved anew for each connection. */
  readonly url: string;
  /** Where to connect instead of looking the host of the URL up; what is asked for there is that host all the same. */
  readonly address?: string;
  /** Larger frames that come in end the connection. */
  readonly maxFrameBytes: number;
  readonly connectTimeoutMs?: number;
  /** A connection on which nothing moves for so long, not even the answer to a ping, is ended. */
  readonly silenceMs?: number;
  /** Bytes that may wait in the socket before `trySend` refuses. */
  readonly maxBufferedBytes?: number;
  /** The connection does not keep the process alive, connecting included. */
  readonly unref?: boolean;
  readonly clock?: Clock;
}

/** How long a farewell may take before the connection is cut. */
const closeTimeoutMs = 1000;

/**
 * Opens one v2 connection; there is no second attempt. `open` runs when frames can be sent; `closed` runs exactly once, also
 * when it never opened, and never before this function has returned.
 *
 * @throws TabaError `bad_setting` if the URL is none that can be connected to
 */
export function connectFrames(options: FrameClientOptions, events: FrameLinkEvents): FrameLink {
  return new FrameClient(options, events);
}

/** Where the frames of a node are. @throws TabaError `bad_setting` */
export function framesUrl(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^(http|ws)s?:$/.test(parsed.protocol) || parsed.hostname === '') {
    throw new TabaError('bad_setting', `${JSON.stringify(url)} is not a URL such as http://127.0.0.1:8279`);
  }
  // Assigning another protocol drops no port; ws: and http: have the same default one.
  parsed.protocol = parsed.protocol.replace('http', 'ws');
  if (parsed.pathname === '/') parsed.pathname = '/v2';
  parsed.hash = '';
  return parsed;
}

class FrameClient implements FrameLink {
  readonly peer: string;
  readonly #events: FrameLinkEvents;
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #maxBufferedBytes: number;
  readonly #silenceMs: number;
  #callOffWatch = () => {};
  #movedAtMs: number;
  #bufferedBefore = 0;
  #isBlocked = false;
  #isClosed = false;
  #reason: string | undefined;

  constructor(options: FrameClientOptions, events: FrameLinkEvents) {
    const url = framesUrl(options.url);
    const connectTimeoutMs = options.connectTimeoutMs ?? 5000;
    this.peer = url.host;
    this.#events = events;
    this.#clock = options.clock ?? systemClock();
    this.#maxBufferedBytes = options.maxBufferedBytes ?? options.maxFrameBytes;
    this.#silenceMs = options.silenceMs ?? 10_000;
    this.#movedAtMs = this.#clock.monotonicMs();
    this.#socket = new WebSocket(url, {
      perMessageDeflate: false,
      maxPayload: options.maxFrameBytes,
      // Not handshakeTimeout: that begins only with the request, and a host that drops packets is never reached.
      createConnection: (connection: ClientRequestArgs) => openSocket(connection, url, options),
      closeTimeout: closeTimeoutMs,
      // A mask keeps scripts in browsers from writing what proxies take for HTTP. Of zeros, it costs nothing: no script writes here.
      generateMask: (mask) => mask.fill(0),
    } as WebSocket.ClientOptions);
    this.#socket.binaryType = 'nodebuffer';
    const callOffConnect = this.#clock.after(connectTimeoutMs, () => {
      this.#cut(`no connection within ${connectTimeoutMs} ms`);
    });
    this.#socket.on('open', () => {
      callOffConnect();
      this.#opened();
    });
    this.#socket.on('message', (data, isBinary) => this.#take(data as Buffer, isBinary));
    this.#socket.on('ping', () => this.#moved());
    this.#socket.on('pong', () => this.#moved());
    this.#socket.on('error', (error) => {
      this.#reason ??= error.message || String((error as NodeJS.ErrnoException).code);
    });
    this.#socket.on('close', (code, said) => {
      callOffConnect();
      this.#closed(`closed by the peer (${code}${said.length === 0 ? '' : ` ${said.toString()}`})`);
    });
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  trySend(frame: Frame): boolean {
    if (this.#reason !== undefined || this.#socket.readyState !== WebSocket.OPEN) return false;
    if (this.#socket.bufferedAmount >= this.#maxBufferedBytes) {
      this.#isBlocked = true;
      return false;
    }
    this.#socket.send(encodeFrame(frame), this.#sent);
    return true;
  }

  close(reason: string): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    if (this.#socket.readyState === WebSocket.CONNECTING) this.#socket.terminate();
    else this.#socket.close(1000, Buffer.from(reason).subarray(0, 120).toString().replace(/�+$/, ''));
  }

  readonly #sent = (): void => {
    if (!this.#isBlocked || this.#isClosed || this.#socket.bufferedAmount >= this.#maxBufferedBytes) return;
    this.#isBlocked = false;
    this.#events.drain?.(this);
  };

  #opened(): void {
    this.#moved();
    this.#watch();
    this.#events.open?.(this);
  }

  #take(data: Buffer, isBinary: boolean): void {
    this.#moved();
    if (this.#reason !== undefined) return;
    let frame: Frame;
    try {
      if (!isBinary) throw new TabaError('bad_framing', 'v2 frames are binary messages');
      // A copy: the message may be a slice of the socket's buffer, which its parts would keep alive.
      frame = decodeFrame(new Uint8Array(data));
    } catch (error) {
      const { code, message } =
        error instanceof TabaError ? error : { code: 'internal', message: String(error) };
      this.trySend({ kind: 'error', code, message, fatal: true });
      this.#reason = `${code}: ${message}`;
      this.#socket.close(1002, code);
      return;
    }
    this.#events.frame(this, frame);
  }

  #moved(): void {
    this.#movedAtMs = this.#clock.monotonicMs();
  }

  /** A third of the silence: a ping goes out at least twice before the connection is given up. */
  #watch(): void {
    this.#callOffWatch = this.#clock.after(this.#silenceMs / 3, () => {
      const { bufferedAmount } = this.#socket;
      // A slow peer that still takes bytes is alive; its answer to a ping waits behind them.
      if (bufferedAmount < this.#bufferedBefore) this.#moved();
      this.#bufferedBefore = bufferedAmount;
      const silentMs = this.#clock.monotonicMs() - this.#movedAtMs;
      if (silentMs >= this.#silenceMs) {
        this.#cut(`silent for ${Math.round(silentMs)} ms`);
        return;
      }
      if (silentMs >= this.#silenceMs / 4 && this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
      this.#watch();
    });
  }

  #cut(reason: string): void {
    this.#reason ??= reason;
    this.#socket.terminate();
  }

  #closed(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#callOffWatch();
    this.#reason ??= reason;
    this.#events.closed(this, this.#reason);
  }
}

/** As ws does it, but not keeping the process alive from the first moment on: a server may never answer the upgrade. */
function openSocket(connection: ClientRequestArgs, url: URL, options: FrameClientOptions): Socket {
  const name = url.hostname.replace(/^\[|\]$/g, '');
  const host = options.address ?? name;
  const port = Number(connection.port);
  const socket =
    url.protocol === 'wss:'
      ? connectTls({
          ...(connection as ConnectionOptions),
          host,
          port,
          path: undefined,
          // What the certificate has to have. An address is never said (RFC 6066, section 3): then it has to have `host`.
          servername: isIP(name) === 0 ? name : '',
        } as ConnectionOptions)
      : connectPlain({ host, port } as NetConnectOpts);
  if (options.unref === true) socket.unref();
  return socket;
}
