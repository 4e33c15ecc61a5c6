import { TabaError } from '../core/errors.js';
import type { RawEvent } from './item-sink.js';

const quote = 0x22;
const comma = 0x2c;
const minus = 0x2d;
const point = 0x2e;
const zero = 0x30;
const space = 0x20;
const newline = 0x0a;
const opening = 0x5b;
const closing = 0x5d;

/** 10^k is a double exactly, so that mantissa / 10^k is rounded once, as JSON.parse does it. */
const powersOfTen = Array.from({ length: 23 }, (_, k) => 10 ** k);

/**
 * Reads event lines of protocol v1. A line costs most where it goes through JSON.parse twice; nearly all lines are
 * `["Type", seconds, "number"]`, and those are read here byte by byte. Whatever is a little different goes the slow way,
 * with the same result.
 */
export class EventLineScanner {
  readonly #bytes: Uint8Array;
  /** The same bytes. */
  readonly #text: Buffer;
  /** The type of the last line, and its bytes with both quotes: hardly ever another than that of the line before. */
  #type = '';
  #quotedType: Uint8Array = new Uint8Array(0);
  /** Behind what was read last. */
  #at = 0;
  #end = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Where the line after the one that was scanned begins. */
  get end(): number {
    return this.#end;
  }

  /** Reads the line at `start`, or returns undefined if it is not of the usual shape. */
  tryScan(start: number, client: string, tab: string): RawEvent | undefined {
    const bytes = this.#bytes;
    if (bytes[start] !== opening || bytes[start + 1] !== quote) return undefined;
    if (!this.#scanType(start + 1) || !this.#scanComma()) return undefined;
    const timestampSec = this.#scanNumber();
    if (timestampSec === undefined || !this.#scanComma()) return undefined;
    if (bytes[this.#at] !== quote) return undefined;
    this.#at++;
    const wrapped = bytes[this.#at] === opening;
    if (wrapped) this.#at++;
    const payload = this.#scanNumber();
    if (payload === undefined) return undefined;
    if (wrapped && bytes[this.#at++] !== closing) return undefined;
    if (bytes[this.#at] !== quote || bytes[this.#at + 1] !== closing) return undefined;
    const end = this.#at + 2;
    if (end < bytes.length && bytes[end] !== newline) return undefined;
    this.#end = end + 1;
    return { client, tab, type: this.#type, timestampSec, payload };
  }

  #scanType(start: number): boolean {
    const bytes = this.#bytes;
    const known = this.#quotedType;
    let same = 0;
    while (same < known.length && known[same] === bytes[start + same]) same++;
    if (same > 0 && same === known.length) {
      this.#at = start + same;
      return true;
    }
    let at = start + 1;
    // Letters, digits and _ alone: no escapes, no UTF-8.
    while (isWordByte(bytes[at])) at++;
    if (bytes[at] !== quote) return false;
    this.#quotedType = bytes.subarray(start, at + 1);
    this.#type = String.fromCharCode(...bytes.subarray(start + 1, at));
    this.#at = at + 1;
    return true;
  }

  #scanComma(): boolean {
    const bytes = this.#bytes;
    if (bytes[this.#at] !== comma) return false;
    this.#at++;
    if (bytes[this.#at] === space) this.#at++;
    return true;
  }

  /** A JSON number without an exponent. */
  #scanNumber(): number | undefined {
    const bytes = this.#bytes;
    const start = this.#at;
    let at = start;
    const negative = bytes[at] === minus;
    if (negative) at++;
    const first = at;
    let mantissa = 0;
    for (let digit = digitAt(bytes, at); digit >= 0; digit = digitAt(bytes, ++at)) {
      mantissa = mantissa * 10 + digit;
    }
    // At least one digit, and no other behind a leading 0.
    if (at === first || (bytes[first] === zero && at > first + 1)) return undefined;
    let decimals = 0;
    if (bytes[at] === point) {
      const firstDecimal = ++at;
      for (let digit = digitAt(bytes, at); digit >= 0; digit = digitAt(bytes, ++at)) {
        mantissa = mantissa * 10 + digit;
      }
      decimals = at - firstDecimal;
      if (decimals === 0) return undefined;
    }
    this.#at = at;
    // Rounding never takes a mantissa that is too large below the first integer that is.
    if (mantissa > Number.MAX_SAFE_INTEGER || decimals >= powersOfTen.length) {
      return this.#longNumber(start, at);
    }
    const value = decimals === 0 ? mantissa : mantissa / powersOfTen[decimals]!;
    return negative ? -value : value;
  }

  /** More digits than fit into a double exactly, such as those of Python's clock. */
  #longNumber(start: number, end: number): number | undefined {
    if (end - start > 64) return undefined;
    return Number(this.#text.toString('latin1', start, end));
  }

  /**
   * Reads any line that the protocol allows.
   * @throws TabaError `bad_event`
   */
  parse(line: Uint8Array, client: string, tab: string): RawEvent {
    const event = parseJson(decoded(line), 'the line');
    if (!Array.isArray(event)) throw badEvent('not an array [type, seconds, payload]');
    if (event.length !== 3) throw badEvent(`an array of ${event.length} instead of [type, seconds, payload]`);
    const [type, timestampSec, payload] = event as [unknown, unknown, unknown];
    if (typeof type !== 'string') throw badEvent('the tab type is not a string');
    if (typeof payload !== 'string') throw badEvent('the payload is not a string of JSON');
    return { client, tab, type, timestampSec, payload: unwrapped(parseJson(payload, 'the payload')) };
  }
}

const textDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decoded(line: Uint8Array): string {
  try {
    return textDecoder.decode(line);
  } catch {
    throw badEvent('the line is not UTF-8');
  }
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badEvent(`${what} is not JSON`);
  }
}

/** A number may come alone in an array. */
function unwrapped(payload: unknown): unknown {
  return Array.isArray(payload) && payload.length === 1 && typeof payload[0] === 'number'
    ? payload[0]
    : payload;
}

function badEvent(message: string): TabaError {
  return new TabaError('bad_event', message);
}

/** 0 to 9, or something negative. */
function digitAt(bytes: Uint8Array, at: number): number {
  const digit = bytes[at]! - zero;
  // Beyond the end it is NaN, which no comparison lets through.
  return digit >= 0 && digit <= 9 ? digit : -1;
}

function isWordByte(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const letter = byte | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || (byte >= zero && byte <= 0x39) || byte === 0x5f;
}
