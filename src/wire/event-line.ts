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
const maxDecimals = 15;
const powersOfTen = Float64Array.from({ length: maxDecimals + 1 }, (_, k) => 10 ** k);
const maxDigits = 64;
/** From here on doubles are at least 2^-22 apart. */
const leastLarge = 2 ** 30;

/** Lines that are read at a time, into columns that all calls share: their reader is done with them before the next call. */
const runLength = 256;
const timestampColumn = new Float64Array(runLength);
const payloadColumn = new Float64Array(runLength);

/**
 * Reads event lines of protocol v1. A line costs most where it goes through JSON.parse twice; nearly all lines are
 * `["Type", seconds, "number"]`, and those are read here into columns, byte by byte. Whatever is a little different goes the
 * slow way, with the same result.
 */
export class EventLineScanner {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** The type of the last line, and how that line began, up to its timestamp: hardly ever otherwise than the line before. */
  #type = '';
  #beginning = new Beginning(new Uint8Array(0));
  /** Of the lines that were scanned last. */
  readonly timestampsSec = timestampColumn;
  readonly payloads = payloadColumn;
  /** Where the line after them begins. */
  end = 0;

  /** @param view of `bytes` */
  constructor(bytes: Uint8Array, view: DataView) {
    this.#bytes = bytes;
    this.#view = view;
  }

  /** The tab type of the lines that were scanned last. */
  get type(): string {
    return this.#type;
  }

  /**
   * Reads the lines from `start` on for as long as they are of the usual shape and of one type.
   * @returns how many, at most `runLength`; 0 where the first one is not of the usual shape: `parse` it
   */
  scan(start: number): number {
    const bytes = this.#bytes;
    const view = this.#view;
    if (!this.#beginning.isAt(view, start) && !this.#scanBeginning(start)) return 0;
    const beginning = this.#beginning;
    let lines = 0;
    let at = start;
    do {
      const next = scanFigures(bytes, at + beginning.length, lines);
      if (next < 0) break;
      at = next;
      lines++;
    } while (lines < runLength && beginning.isAt(view, at));
    this.end = at;
    return lines;
  }

  /** `["Type", `, with the space or without it. */
  #scanBeginning(start: number): boolean {
    const bytes = this.#bytes;
    if (bytes[start] !== opening || bytes[start + 1] !== quote) return false;
    let at = start + 2;
    // Letters, digits and _ alone: no escapes, no UTF-8.
    while (isWordByte(bytes[at])) at++;
    if (bytes[at] !== quote || bytes[at + 1] !== comma) return false;
    const end = bytes[at + 2] === space ? at + 3 : at + 2;
    this.#type = String.fromCharCode(...bytes.subarray(start + 2, at));
    this.#beginning = new Beginning(bytes.subarray(start, end));
    return true;
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

/** `seconds, "number"]` and the end of the line, into a place of the columns. @returns where the next line begins; -1 if it is otherwise */
function scanFigures(bytes: Uint8Array, start: number, place: number): number {
  let at = scanNumber(bytes, start, timestampColumn, place);
  if (at < 0 || bytes[at] !== comma) return -1;
  at++;
  if (bytes[at] === space) at++;
  if (bytes[at] !== quote) return -1;
  at++;
  const wrapped = bytes[at] === opening;
  at = scanNumber(bytes, wrapped ? at + 1 : at, payloadColumn, place);
  if (at < 0) return -1;
  if (wrapped && bytes[at++] !== closing) return -1;
  if (bytes[at] !== quote || bytes[at + 1] !== closing) return -1;
  const end = at + 2;
  return end < bytes.length && bytes[end] !== newline ? -1 : end + 1;
}

/** A JSON number without an exponent, into a place of a column. @returns where it ends; -1 if there is none */
function scanNumber(bytes: Uint8Array, start: number, column: Float64Array, place: number): number {
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
  if (wholeDigits === 0 || (wholeDigits > 1 && bytes[first] === zero)) return -1;
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
    if (decimals === 0) return -1;
  }
  if (decimals > maxDecimals) return scanLong(bytes, start, at, column, place);
  const power = powersOfTen[decimals]!;
  const mantissa = whole * power + fraction;
  let value = mantissa / power;
  // Two integers: their quotient is rounded once, as JSON.parse does it. Rounding never takes a mantissa that is too large below
  // the first integer that is.
  if (mantissa > Number.MAX_SAFE_INTEGER) {
    // Such as those of Python's clock. The fraction is wrong by 2^-54 at most; what is as near to the middle between two doubles,
    // a multiple of 2^-23, has more decimals than nine, or is that middle exactly.
    if (decimals > 9 || whole < leastLarge || whole > Number.MAX_SAFE_INTEGER)
      return scanLong(bytes, start, at, column, place);
    value = whole + fraction / power;
  }
  column[place] = negative ? -value : value;
  return at;
}

/** A number of any number of digits; not of more than a number can need, though. */
function scanLong(
  bytes: Uint8Array,
  start: number,
  end: number,
  column: Float64Array,
  place: number,
): number {
  if (end - start > maxDigits) return -1;
  column[place] = Number(String.fromCharCode(...bytes.subarray(start, end)));
  return end;
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
