import { ByteReader } from '../bytes.js';
import type { Handler } from './handler.js';

/**
 * A State as its Handler's present version encoded it, in the place of the State itself: what is only handed on is never decoded.
 * Whoever makes one knows that the bytes decode.
 */
export class EncodedState {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;

  /** The bytes from `start` up to, not including, `end`; they must not change. */
  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  /** A State that shares no memory with the bytes. */
  decoded<S>(handler: Handler<S>): S {
    return handler.decode(new ByteReader(this.bytes, this.start, this.end));
  }
}

/** The State itself. */
export function decodedState(handler: Handler, state: unknown): unknown {
  return state instanceof EncodedState ? state.decoded(handler) : state;
}
