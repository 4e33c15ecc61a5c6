import { ByteReader } from '../bytes.js';
import type { Figures } from './figures.js';
import type { Handler, JsonValue, RenderForm, RenderView } from './handler.js';

const pieceBytes = 8192;
const shortBytes = 200;
let piece = new Uint8Array(pieceBytes);
let pieceUsed = 0;

/**
 * A State as its Handler's present version encoded it, in the place of the State itself: what is only handed on is never decoded.
 * Whoever makes one knows that the bytes decode.
 */
export class EncodedState {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** What `Handler.examine` said of it; undefined where nobody asked. */
  readonly newestSec: number | undefined;

  /** The bytes from `start` up to, not including, `end`; they must not change. */
  constructor(bytes: Uint8Array, start = 0, end = bytes.length, newestSec?: number) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.newestSec = newestSec;
  }

  /**
   * Of a copy of the bytes from `from` to `to`, which lies beside others in one piece of memory: a State that waits keeps no more
   * than that from being freed.
   */
  static copyOf(bytes: Uint8Array, from = 0, to = bytes.length): EncodedState {
    const length = to - from;
    if (length > pieceBytes / 4) return new EncodedState(bytes.slice(from, to));
    if (pieceUsed + length > pieceBytes) {
      piece = new Uint8Array(pieceBytes);
      pieceUsed = 0;
    }
    const start = pieceUsed;
    pieceUsed += length;
    // Most are short: a view of them to copy from would cost more than the copy.
    if (length > shortBytes) piece.set(bytes.subarray(from, to), start);
    else for (let at = 0; at < length; at++) piece[start + at] = bytes[from + at]!;
    return new EncodedState(piece, start, pieceUsed);
  }

  /** A State that shares no memory with the bytes. */
  decoded<S>(handler: Handler<S>): S {
    return handler.decode(new ByteReader(this.bytes, this.start, this.end));
  }
}

/** For reads that make nothing which could keep it. */
const reader = new ByteReader(new Uint8Array(0));

/** The State itself. */
export function decodedState(handler: Handler, state: unknown): unknown {
  return state instanceof EncodedState ? state.decoded(handler) : state;
}

/** `Handler.reduce` of a State, or of an encoded one. */
export function reduceState(handler: Handler, into: unknown, from: unknown): void {
  if (from instanceof EncodedState && handler.reduceEncoded !== undefined) {
    handler.reduceEncoded(into, readerOf(from));
  } else {
    handler.reduce(into, decodedState(handler, from));
  }
}

/** `Handler.aggregate` of a State, or of an encoded one. */
export function aggregateState(handler: Handler, into: unknown, from: unknown, nowSec: number): void {
  // Where the State over all clients is kept, to aggregate is to reduce.
  if (handler.tabState === 'kept') reduceState(handler, into, from);
  else handler.aggregate(into, decodedState(handler, from), nowSec);
}

/** `Handler.render` of a State, or of an encoded one. */
export function renderState(handler: Handler, state: unknown, form: RenderForm, view: RenderView): JsonValue {
  const rendering =
    state instanceof EncodedState ? handler.renderEncoded?.(readerOf(state), form, view) : undefined;
  return rendering ?? handler.render(decodedState(handler, state), form, view);
}

/** `Handler.figures` of a State, or of an encoded one. */
export function figuresOfState(handler: Handler, state: unknown, view: RenderView): Figures | undefined {
  const figures = state instanceof EncodedState ? handler.figuresEncoded?.(readerOf(state), view) : undefined;
  return figures ?? handler.figures?.(decodedState(handler, state), view);
}

function readerOf({ bytes, start, end }: EncodedState): ByteReader {
  return reader.restart(bytes, start, end);
}
