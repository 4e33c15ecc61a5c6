import type { WebSocket } from 'uWebSockets.js';
import type { Frame } from '../../wire/frame.js';
import { encodeFrame } from '../../wire/frame-codec.js';
import type { FrameLink } from '../frame-link.js';

/** What a WebSocket of the server carries along. */
export interface SocketData {
  readonly peer: string;
  socket?: FrameSocket;
}

/** One accepted v2 connection. */
export class FrameSocket implements FrameLink {
  readonly peer: string;
  /** When anything last came in, monotonic ms. */
  heardAtMs: number;
  /** Whether a send was refused since the last `drain`. */
  isBlocked = false;
  #socket: WebSocket<SocketData> | undefined;
  readonly #maxBufferedBytes: number;
  #closeReason: string | undefined;

  constructor(socket: WebSocket<SocketData>, maxBufferedBytes: number, nowMs: number) {
    this.peer = socket.getUserData().peer;
    this.#socket = socket;
    this.#maxBufferedBytes = maxBufferedBytes;
    this.heardAtMs = nowMs;
  }

  get bufferedBytes(): number {
    return this.#socket?.getBufferedAmount() ?? 0;
  }

  get isOpen(): boolean {
    return this.#socket !== undefined && this.#closeReason === undefined;
  }

  /** Why this side closed, once it did. */
  get closeReason(): string | undefined {
    return this.#closeReason;
  }

  trySend(frame: Frame): boolean {
    if (!this.isOpen) return false;
    if (this.bufferedBytes >= this.#maxBufferedBytes) {
      this.isBlocked = true;
      return false;
    }
    const isDropped = this.#socket!.send(encodeFrame(frame), true) === 2;
    if (isDropped) this.isBlocked = true;
    return !isDropped;
  }

  ping(): void {
    this.#socket?.ping();
  }

  close(reason: string): void {
    if (!this.isOpen) return;
    this.#closeReason = reason;
    this.#socket!.end(1000, shortened(reason));
  }

  /** Says what is wrong, and closes. */
  fail(code: string, message: string): void {
    if (!this.isOpen) return;
    this.trySend({ kind: 'error', code, message, fatal: true });
    this.#closeReason = `${code}: ${message}`;
    this.#socket!.end(1002, shortened(code));
  }

  /** Ends it without a farewell: nobody is listening. */
  terminate(reason: string): void {
    if (this.#socket === undefined) return;
    this.#closeReason ??= reason;
    this.#socket.close();
  }

  /** The native socket is gone, and must not be touched any more. */
  detach(): void {
    this.#socket = undefined;
  }
}

/** A close frame has room for 123 bytes. */
function shortened(reason: string): string {
  return Buffer.from(reason).subarray(0, 123).toString().replace(/�+$/, '');
}
