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

/** Doubles exactly. */
const powersOfTen = Array.from({ length: 16 }, (_, k) => 10 ** k);
/** From here on doubles are at least 2^-22 apart. */
const leastLarge = 2 ** 30;

/**
 * `whole` + `fraction` / 10^`decimals`, rounded correctly, as JSON.parse does it.
 * @returns undefined where that is not as easy as that
 */
function decimalNumber(whole: number, fraction: number, decimals: number): number | undefined {
  if (decimals === 0) return whole <= Number.MAX_SAFE_INTEGER ? whole : undefined;
  if (decimals >= powersOfTen.length) return undefined;
  const power = powersOfTen[decimals]!;
  const mantissa = whole * power + fraction;
  // Two integers: their quotient is rounded once. Rounding never takes a mantissa that is too large below the first integer that is.
  if (mantissa <= Number.MAX_SAFE_INTEGER) return mantissa / power;
  // Such as those of Python's clock. The fraction is wrong by 2^-54 at most; what is as near to the middle between two doubles,
  // a multiple of 2^-23, has more decimals than nine, or is that middle exactly.
  if (decimals <= 9 && whole >= leastLarge && whole <= Number.MAX_SAFE_INTEGER)
    return whole + fraction / power;
  return undefined;
}

/**
 * Reads event lines of protocol v1. A line costs most where it goes through JSON.parse twice; nearly all lines are
 * `["Type", seconds, "number"]`, and those are read here byte by byte. Whatever is a little different goes the slow way,
 * with the same result.
 */
export class EventLineScanner {
  readonly #bytes: Uint8Array;
  /** The same bytes. */
  readonly #view: DataView;
  /** The type of the last line, and how that line began, up to its timestamp: hardly ever otherwise than the line before. */
  #type = '';
  #beginning = new Beginning(new Uint8Array(0));
  /** Behind what was read last. */
  #at = 0;
  /** Of the line that was scanned last. */
  timestampSec = 0;
  payload = 0;
  /** Where the line after it begins. */
  end = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** The tab type of the line that was scanned last. */
  get type(): string {
    return this.#type;
  }

  /** Reads the line at `start`. @returns false if it is not of the usual shape: `parse` it */
  tryScan(start: number): boolean {
    const bytes = this.#bytes;
    if (this.#beginning.isAt(this.#view, start)) this.#at = start + this.#beginning.length;
    else if (!this.#scanBeginning(start)) return false;
    const timestampSec = this.#scanNumber();
    if (Number.isNaN(timestampSec) || !this.#scanComma()) return false;
    if (bytes[this.#at] !== quote) return false;
    this.#at++;
    const wrapped = bytes[this.#at] === opening;
    if (wrapped) this.#at++;
    const payload = this.#scanNumber();
    if (Number.isNaN(payload)) return false;
    if (wrapped && bytes[this.#at++] !== closing) return false;
    if (bytes[this.#at] !== quote || bytes[this.#at + 1] !== closing) return false;
    const end = this.#at + 2;
    if (end < bytes.length && bytes[end] !== newline) return false;
    this.end = end + 1;
    this.timestampSec = timestampSec;
    this.payload = payload;
    return true;
  }

  /** `["Type", `, with the space or without it. */
  #scanBeginning(start: number): boolean {
    const bytes = this.#bytes;
    if (bytes[start] !== opening || bytes[start + 1] !== quote) return false;
    let at = start + 2;
    // Letters, digits and _ alone: no escapes, no UTF-8.
    while (isWordByte(bytes[at])) at++;
    if (bytes[at] !== quote) return false;
    this.#at = at + 1;
    if (!this.#scanComma()) return false;
    this.#type = String.fromCharCode(...bytes.subarray(start + 2, at));
    this.#beginning = new Beginning(bytes.subarray(start, this.#at));
    return true;
  }

  #scanComma(): boolean {
    const bytes = this.#bytes;
    if (bytes[this.#at] !== comma) return false;
    this.#at++;
    if (bytes[this.#at] === space) this.#at++;
    return true;
  }

  /** A JSON number without an exponent; NaN where there is none. */
  #scanNumber(): number {
    const bytes = this.#bytes;
    const start = this.#at;
    const negative = bytes[start] === minus;
    const first = negative ? start + 1 : start;
    let at = first;
    let whole = 0;
    let digit = bytes[at]! - zero;
    // Beyond the end it is NaN, which no comparison lets through.
    while (digit >= 0 && digit <= 9) {
      whole = whole * 10 + digit;
      digit = bytes[++at]! - zero;
    }
    const wholeDigits = at - first;
    // At least one digit, and no other behind a leading 0.
    if (wholeDigits === 0 || (wholeDigits > 1 && bytes[first] === zero)) return Number.NaN;
    let fraction = 0;
    let decimals = 0;
    if (bytes[at] === point) {
      const firstDecimal = ++at;
      digit = bytes[at]! - zero;
      while (digit >= 0 && digit <= 9) {
        fraction = fraction * 10 + digit;
        digit = bytes[++at]! - zero;
      }
      decimals = at - firstDecimal;
      if (decimals === 0) return Number.NaN;
    }
    this.#at = at;
    const value = decimalNumber(whole, fraction, decimals) ?? this.#longNumber(first, at);
    return negative ? -value : value;
  }

  /** Any number of digits; not more than a number can need, though. */
  #longNumber(start: number, end: number): number {
    if (end - start > 64) return Number.NaN;
    return Number(String.fromCharCode(...this.#bytes.subarray(start, end)));
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

/** How lines begin, to be compared four bytes at a time. */
class Beginning {
  readonly length: number;
  readonly #words: Int32Array;
  /** Its last four bytes: some of them may be in the words already. */
  readonly #last: number;

  constructor(bytes: Uint8Array) {
    this.length = bytes.length;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#words = Int32Array.from({ length: bytes.length >> 2 }, (_, word) => view.getInt32(word * 4));
    this.#last = bytes.length < 4 ? 0 : view.getInt32(bytes.length - 4);
  }

  isAt(view: DataView, start: number): boolean {
    const { length } = this;
    if (length < 4 || start + length > view.byteLength) return false;
    const words = this.#words;
    for (let word = 0; word < words.length; word++) {
      if (view.getInt32(start + word * 4) !== words[word]) return false;
    }
    return view.getInt32(start + length - 4) === this.#last;
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

function isWordByte(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const letter = byte | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || (byte >= zero && byte <= 0x39) || byte === 0x5f;
}
