import type { HttpResponse } from 'uWebSockets.js';
import { TabaError } from '../../core/errors.js';
import type { Clock } from '../../runtime/clock.js';

export interface BodyOptions {
  readonly maxBytes: number;
  /** What the request says that its body has; 0 where it does not say. */
  readonly expectedBytes: number;
  /** Ends the connection when nothing arrives for so long. */
  readonly idleTimeoutMs: number;
  readonly clock: Clock;
  /** All of it. Called at most once, and never after an abort. */
  complete(body: Uint8Array): void;
  /** Too large: the rest is thrown away. Called at most once, instead of `complete`. */
  refuse(error: TabaError): void;
}

const emptyBody = new Uint8Array(0);
/** A body that says it is larger is gathered in pieces: memory is for what has come, not for what is promised. */
const maxPromisedBytes = 2 ** 20;

/**
 * Gathers a request's body. Only what has arrived in full is passed on, so that a body that stops half-way counts
 * nothing. @returns stops the timer, for when the client has gone
 */
export function readBody(response: HttpResponse, options: BodyOptions): () => void {
  const { maxBytes, expectedBytes, clock, idleTimeoutMs } = options;
  const pieces: Uint8Array[] = [];
  /** Takes all of a body of several pieces whose size is known: joining them would copy it once more. */
  let whole: Uint8Array | undefined;
  let wholeBytes = 0;
  let bytes = 0;
  let refused = false;
  let progressAtMs = 0;
  let callOff = () => {};

  function watch(delayMs: number): void {
    callOff = clock.after(delayMs, () => {
      const leftMs = progressAtMs + idleTimeoutMs - clock.monotonicMs();
      // Closing runs the abort handler, which is where the request is forgotten.
      if (leftMs > 0) watch(leftMs);
      else response.close();
    });
  }

  response.onData((chunk, isLast) => {
    if (refused) return;
    const start = bytes;
    bytes += chunk.byteLength;
    if (bytes > maxBytes) {
      refused = true;
      pieces.length = 0;
      whole = undefined;
      callOff();
      options.refuse(bodyTooLarge(maxBytes));
      return;
    }
    if (start === 0 && bytes < expectedBytes && expectedBytes <= maxPromisedBytes) {
      whole = Buffer.allocUnsafeSlow(expectedBytes);
    }
    // The chunk's memory is gone when this returns: copy.
    if (whole !== undefined && bytes <= expectedBytes) {
      whole.set(new Uint8Array(chunk), start);
      wholeBytes = bytes;
    } else if (chunk.byteLength > 0) pieces.push(new Uint8Array(chunk).slice());
    if (isLast) {
      callOff();
      if (whole !== undefined) pieces.unshift(whole.subarray(0, wholeBytes));
      options.complete(
        pieces.length === 1 ? pieces[0]! : pieces.length === 0 ? emptyBody : Buffer.concat(pieces),
      );
      return;
    }
    const isFirst = progressAtMs === 0;
    progressAtMs = clock.monotonicMs();
    if (isFirst) watch(idleTimeoutMs);
  });
  return () => callOff();
}

export function bodyTooLarge(maxBodyBytes: number): TabaError {
  return new TabaError('body_too_large', `the body is larger than ${maxBodyBytes} bytes`, { maxBodyBytes });
}
