import type { WebSocketBehavior } from 'uWebSockets.js';
import { TabaError } from '../../core/errors.js';
import type { Clock } from '../../runtime/clock.js';
import { decodeFrame } from '../../wire/frame-codec.js';
import type { FrameLinkEvents } from '../frame-link.js';
import { errorReply } from './error-reply.js';
import { FrameSocket, type SocketData } from './frame-socket.js';
import { peerOf } from './request.js';
import { writeReply } from './write-reply.js';

export interface FrameSocketsOptions {
  readonly events: FrameLinkEvents;
  readonly maxFrameBytes: number;
  /** Of one connection: what it does not take is refused to its user, and never piles up here. */
  readonly maxBufferedBytes: number;
  /** A connection on which nothing comes in for so long, not even the answer to a ping, is ended. */
  readonly silenceMs: number;
  readonly clock: Clock;
  /** A new connection is answered with this, if anything. */
  refuses(): TabaError | undefined;
  /** A connection has left HTTP. */
  upgraded(): void;
  onError(error: unknown, where: string): void;
}

/** All v2 connections of one server. */
export class FrameSockets {
  readonly #options: FrameSocketsOptions;
  readonly #sockets = new Set<FrameSocket>();
  #callOff = () => {};

  constructor(options: FrameSocketsOptions) {
    this.#options = options;
    this.#watch();
  }

  get size(): number {
    return this.#sockets.size;
  }

  closeAll(reason: string): void {
    this.#callOff();
    for (const socket of [...this.#sockets]) socket.close(reason);
  }

  behavior(): WebSocketBehavior<SocketData> {
    const { events, maxFrameBytes, maxBufferedBytes, clock } = this.#options;
    return {
      // Twice the limit: a frame somewhat too large is told so; only beyond that the connection just ends.
      maxPayloadLength: 2 * maxFrameBytes,
      // Never reached: FrameSocket refuses before it.
      maxBackpressure: 0,
      idleTimeout: 0,
      sendPingsAutomatically: false,
      upgrade: (response, request, context) => {
        const refusal = this.#options.refuses();
        if (refusal !== undefined) {
          writeReply(response, errorReply(refusal), { head: false, closes: true });
          return;
        }
        const data: SocketData = { peer: peerOf(response) };
        this.#options.upgraded();
        response.upgrade(
          data,
          request.getHeader('sec-websocket-key'),
          request.getHeader('sec-websocket-protocol'),
          request.getHeader('sec-websocket-extensions'),
          context,
        );
      },
      open: (native) => {
        const socket = new FrameSocket(native, maxBufferedBytes, clock.monotonicMs());
        native.getUserData().socket = socket;
        this.#sockets.add(socket);
        this.#guard('open', socket, () => events.open?.(socket));
      },
      message: (native, message, isBinary) => {
        const socket = native.getUserData().socket;
        if (socket === undefined) return;
        socket.heardAtMs = clock.monotonicMs();
        if (socket.isOpen) this.#take(socket, message, isBinary);
      },
      drain: (native) => {
        const socket = native.getUserData().socket;
        if (socket === undefined) return;
        socket.heardAtMs = clock.monotonicMs();
        if (!socket.isBlocked || socket.bufferedBytes >= maxBufferedBytes) return;
        socket.isBlocked = false;
        this.#guard('drain', socket, () => events.drain?.(socket));
      },
      ping: (native) => this.#heard(native.getUserData()),
      pong: (native) => this.#heard(native.getUserData()),
      close: (native, code, message) => {
        const socket = native.getUserData().socket;
        if (socket === undefined) return;
        socket.detach();
        this.#sockets.delete(socket);
        const said = Buffer.from(message).toString();
        const reason = socket.closeReason ?? `closed by the peer (${code}${said === '' ? '' : ` ${said}`})`;
        this.#guard('closed', socket, () => events.closed(socket, reason));
      },
    };
  }

  #heard({ socket }: SocketData): void {
    if (socket !== undefined) socket.heardAtMs = this.#options.clock.monotonicMs();
  }

  #take(socket: FrameSocket, message: ArrayBuffer, isBinary: boolean): void {
    const { maxFrameBytes, events } = this.#options;
    if (!isBinary) {
      socket.fail('bad_framing', 'v2 frames are binary messages');
      return;
    }
    if (message.byteLength > maxFrameBytes) {
      socket.fail('frame_too_large', `a frame of ${message.byteLength} bytes; ${maxFrameBytes} are allowed`);
      return;
    }
    this.#guard('frame', socket, () => {
      // The message's memory is gone when this callback returns; what is decoded shares nothing with it.
      events.frame(socket, decodeFrame(new Uint8Array(message)));
    });
  }

  /** A fault of the peer is told to the peer, any other error to the log; neither may take the process down. */
  #guard(where: string, socket: FrameSocket, action: () => void): void {
    try {
      action();
    } catch (error) {
      if (error instanceof TabaError) {
        socket.fail(error.code, error.message);
      } else {
        this.#options.onError(error, `frames: ${where}`);
        socket.fail('internal', 'an unexpected error; the log of this node has the details');
      }
    }
  }

  /** A third of the silence: a ping goes out at least twice before a connection is given up. */
  #watch(): void {
    const { clock, silenceMs } = this.#options;
    this.#callOff = clock.after(silenceMs / 3, () => {
      const nowMs = clock.monotonicMs();
      for (const socket of [...this.#sockets]) {
        const silentMs = nowMs - socket.heardAtMs;
        if (silentMs >= silenceMs) socket.terminate(`silent for ${Math.round(silentMs)} ms`);
        else if (silentMs >= silenceMs / 4) socket.ping();
      }
      this.#watch();
    });
  }
}
