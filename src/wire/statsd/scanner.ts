/**
 * StatsD and DogStatsD: lines of metrics, in datagrams or in a stream of bytes.
 *
 *     packet   lines, separated by LF or CR LF; empty ones count for nothing; an LF at the end is optional
 *     metric   name ":" value *( ":" value ) "|" kind *( "|" field )
 *     kind     "c" counter · "g" gauge · "ms" timer · "h" histogram · "d" distribution · "s" set
 *     value    a decimal number (decimal.ts); for a gauge a sign in front means a change: "+3", "-3"; for a set any bytes but
 *              "|" and LF, colons included, so that a set has one value a line
 *     field    "@" rate      above 0, at most 1: each value stands for 1 / rate events; gauges take no notice
 *              "#" tags      key:value or key, separated by commas
 *              "T" seconds   UTC, whole or not: when it happened
 *              word ":" any  such as c: (container), e: (external data), card: (cardinality): taken, of no use here
 *              nothing
 *     name     any bytes but ":" "|" LF, at least one; tags may stand in it, behind the first ";" "," or "#":
 *              name;key=value;key2=value2 (Graphite) · name,key=value (InfluxDB) · name#key=value,key2=value2 (Librato)
 *     event    "_e{" title length "," text length "}:" title "|" text *( "|" field ), lengths in bytes
 *     check    "_sc|" name "|" 0 to 3 *( "|" field )
 *
 * Events and service checks are DogStatsD's; they are counted and otherwise ignored. What is wrong in a line is a fault of that
 * line alone, and a value that is no number one of that value alone: nothing is fatal to a packet.
 *
 * Sources: statsd/statsd docs/metric_types.md, and Datadog's "Datagram Format" with its versions 1.1 (several values), 1.2
 * (container), 1.3 (timestamp), 1.5 (external data) and 1.6 (cardinality).
 *
 * One pass over the bytes; no string, no object and no function call but the sink's for a metric whose series is known.
 */
import type { ErrorCode } from '../../core/errors.js';
import { decimalOf, exactDigits, exactPowers } from './decimal.js';
import { beginsTags, gaugeKind, metricKinds, metricNameOf, setKind } from './metric.js';
import { isEvent, isServiceCheck } from './notices.js';
import { hashOfTags, hashSeed, mixed } from './series-hash.js';
import { SeriesIndex, type SeriesLimits } from './series-index.js';
import type { StatsdNotice, StatsdSink } from './sink.js';

/** Name and tags of a metric have at most so many bytes together, before they are escaped: a longer one cannot become a tab. */
export const maxSeriesBytes = 8192;

const newline = 10;
const carriageReturn = 13;
const hashSign = 35;
const plus = 43;
const minus = 45;
const dot = 46;
const zero = 48;
const colon = 58;
const at_ = 64;
const letterT = 84;
const underscore = 95;
const pipe = 124;

/** Four bytes at a time: where a byte of `word` is 0, the top bit of that byte is set in the result, and in no lower one. */
const lowBits = 0x01010101;
const topBits = 0x80808080 | 0;
const fourColons = 0x3a3a3a3a;
const fourNewlines = 0x0a0a0a0a;

/** By the byte of a kind of one letter: its number; -1 for anything else. */
const kindByByte = new Int8Array(256).fill(-1);
for (const [kind, letters] of metricKinds.entries()) {
  if (letters.length === 1) kindByByte[letters.charCodeAt(0)] = kind;
}
const timerKind = metricKinds.indexOf('ms');
const letterM = 0x6d;
const letterS = 0x73;

export class StatsdScanner {
  readonly #sink: StatsdSink;
  readonly #index: SeriesIndex;
  /** Of the bytes that are being scanned. */
  #view: DataView = new DataView(new ArrayBuffer(0));
  /** Events seen: values, and lines that are no metric. */
  #events = 0;
  /** The fields of the present line. */
  #weight = 1;
  #timestampSec = -1;
  #tagStart = 0;
  #tagEnd = 0;

  constructor(sink: StatsdSink, limits: SeriesLimits) {
    this.#sink = sink;
    this.#index = new SeriesIndex(limits);
  }

  /** Different series since the last `forget`. */
  get series(): number {
    return this.#index.size;
  }

  /** Begins anew with the numbers of series, for when something else should become of them. */
  forget(): void {
    this.#sink.forget();
    this.#index.clear();
  }

  /**
   * Reads the lines from `start` up to `end`.
   * @returns how many events were in them, those at fault included
   */
  scan(bytes: Uint8Array, start: number, end: number): number {
    this.#events = 0;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = start;
    while (at < end) at = this.#line(bytes, at, end);
    return this.#events;
  }

  /** @returns where the next line begins */
  #line(bytes: Uint8Array, start: number, end: number): number {
    const view = this.#view;
    const lastWord = end - 4;
    let at = start;
    let hash = hashSeed;
    let byte = 0;
    let word = 0;
    let found = 0;
    // A whole metric has four bytes behind its name: a word that reaches beyond the end belongs to none.
    for (; ; at += 4) {
      if (at > lastWord) return this.#noMetric(bytes, start, end);
      word = view.getInt32(at, true);
      const colons = word ^ fourColons;
      const newlines = word ^ fourNewlines;
      found = (((colons - lowBits) & ~colons) | ((newlines - lowBits) & ~newlines)) & topBits;
      if (found !== 0) break;
      hash = mixed(hash, word);
    }
    // Bytes of the word before the first hit.
    const rest = (31 - Math.clz32(found & -found)) >> 3;
    at += rest;
    if (bytes[at] === newline || at === start) return this.#noMetric(bytes, start, end);
    if (rest > 0) hash = mixed(hash, word & (0x7fffffff >>> (31 - rest * 8)));
    if (bytes[start] === underscore) {
      const next = this.#notice(bytes, start, end);
      if (next >= 0) return next;
    }
    const nameEnd = at;
    const valueStart = ++at;

    // The usual value is read on the way: digits, a sign before and a point among them. Anything else is read once more.
    byte = at < end ? bytes[at]! : newline;
    const sign = byte;
    if (byte === minus || byte === plus) at++;
    let mantissa = 0;
    let digits = -at;
    let fraction = 0;
    for (; at < end; at++) {
      byte = bytes[at]! - zero;
      if (byte < 0 || byte > 9) break;
      mantissa = mantissa * 10 + byte;
    }
    digits += at;
    if (at < end && bytes[at] === dot) {
      fraction = -++at;
      for (; at < end; at++) {
        byte = bytes[at]! - zero;
        if (byte < 0 || byte > 9) break;
        mantissa = mantissa * 10 + byte;
      }
      fraction += at;
      digits += fraction;
    }
    const isPlain = at < end && bytes[at] === pipe && digits > 0 && digits <= exactDigits;
    if (!isPlain) {
      while (at < end && bytes[at] !== pipe && bytes[at] !== newline) at++;
      if (at === end || bytes[at] === newline) {
        return this.#faultyLine('a metric without |', bytes, start, end);
      }
    }
    const valueEnd = at;

    at++;
    byte = at < end ? bytes[at]! : newline;
    let kind = kindByByte[byte]!;
    if (byte === letterM && at + 1 < end && bytes[at + 1] === letterS) {
      kind = timerKind;
      at++;
    }
    at++;
    byte = at < end ? bytes[at]! : newline;
    if (kind < 0 || (byte !== newline && byte !== pipe && byte !== carriageReturn)) {
      return this.#faultyLine(`the kind is none of ${metricKinds.join(', ')}`, bytes, start, end);
    }
    if (byte === newline) {
      this.#weight = 1;
      this.#timestampSec = -1;
      this.#tagStart = at;
      this.#tagEnd = at;
    } else {
      const lineEnd = this.#fields(bytes, start, at, end);
      if (lineEnd < 0) return ~lineEnd;
      at = lineEnd;
    }

    const tagEnd = this.#tagEnd;
    const tagStart = this.#tagStart;
    if (tagEnd > tagStart) hash = hashOfTags(hash, bytes, tagStart, tagEnd);
    let series = this.#index.find(hash, kind, bytes, view, start, nameEnd, tagStart, tagEnd);
    if (series < 0) {
      series = this.#newSeries(hash, kind, bytes, start, nameEnd);
      if (series < 0) return this.#faultyLine(badName, bytes, start, end, 'bad_name');
    }
    if (kind === setKind) {
      if (valueEnd === valueStart)
        return this.#faultyLine('a set without a value', bytes, start, end, 'bad_value');
      this.#events++;
      this.#sink.member(series, bytes, valueStart, valueEnd, this.#weight, this.#timestampSec);
      return at + 1;
    }
    if (!isPlain) {
      this.#values(series, kind, bytes, valueStart, valueEnd);
      return at + 1;
    }
    let value = fraction > 0 ? mantissa / exactPowers[fraction]! : mantissa;
    if (sign === minus && value !== 0) value = -value;
    this.#events++;
    if (kind !== gaugeKind) this.#sink.value(series, value, this.#weight, this.#timestampSec);
    else if (sign === minus || sign === plus) this.#sink.change(series, value, this.#timestampSec);
    else this.#sink.value(series, value, 1, this.#timestampSec);
    return at + 1;
  }

  /** Values that are several, or unusual, or none at all. */
  #values(series: number, kind: number, bytes: Uint8Array, start: number, end: number): void {
    const sink = this.#sink;
    for (let from = start; from <= end; ) {
      let to = from;
      while (to < end && bytes[to] !== colon) to++;
      const value = decimalOf(bytes, from, to);
      this.#events++;
      if (Number.isNaN(value)) {
        sink.fault('bad_value', badValue, bytes, from, to);
      } else if (kind !== gaugeKind) {
        sink.value(series, value, this.#weight, this.#timestampSec);
      } else if (bytes[from] === plus || bytes[from] === minus) {
        sink.change(series, value, this.#timestampSec);
      } else {
        sink.value(series, value, 1, this.#timestampSec);
      }
      from = to + 1;
    }
  }

  /**
   * What follows the kind, from a `|` or CR on.
   * @returns where the line ends, or where the next one begins as its complement (`~`) if there was a fault
   */
  #fields(bytes: Uint8Array, lineStart: number, start: number, end: number): number {
    this.#weight = 1;
    this.#timestampSec = -1;
    this.#tagStart = start;
    this.#tagEnd = start;
    let at = start;
    while (at < end && bytes[at] === pipe) {
      const from = at + 1;
      at = from;
      while (at < end && bytes[at] !== pipe && bytes[at] !== newline) at++;
      const isLast = at === end || bytes[at] === newline;
      const to = isLast && at > from && bytes[at - 1] === carriageReturn ? at - 1 : at;
      const reason = this.#field(bytes, from, to);
      if (reason !== undefined) {
        const code = reason === badTimestamp ? 'bad_timestamp' : 'bad_event';
        return ~this.#faultyLine(reason, bytes, lineStart, end, code);
      }
    }
    if (at < end && bytes[at] === carriageReturn) {
      at++;
      if (at < end && bytes[at] !== newline) {
        return ~this.#faultyLine('a carriage return within the line', bytes, lineStart, end);
      }
    }
    return at;
  }

  /** @returns why it is none */
  #field(bytes: Uint8Array, from: number, to: number): string | undefined {
    if (from === to) return undefined;
    const first = bytes[from]!;
    if (first === hashSign) {
      if (this.#tagEnd > this.#tagStart) return 'tags twice';
      this.#tagStart = from + 1;
      this.#tagEnd = to;
      return undefined;
    }
    if (first === at_) {
      const rate = decimalOf(bytes, from + 1, to);
      const weight = 1 / rate;
      if (!(rate > 0 && rate <= 1 && Number.isFinite(weight)))
        return 'a sample rate that is not above 0 and at most 1';
      this.#weight = weight;
      return undefined;
    }
    if (first === letterT) {
      this.#timestampSec = decimalOf(bytes, from + 1, to);
      return this.#timestampSec >= 0 ? undefined : badTimestamp;
    }
    return isExtension(bytes, from, to) ? undefined : 'a field that is none of @rate, #tags, Ttime';
  }

  /** @returns -1 for a name that cannot be one */
  #newSeries(hash: number, kind: number, bytes: Uint8Array, nameStart: number, nameEnd: number): number {
    const tagStart = this.#tagStart;
    const tagEnd = this.#tagEnd;
    if (nameEnd - nameStart + tagEnd - tagStart > maxSeriesBytes) return -1;
    if (!canBeName(bytes, nameStart, nameEnd)) return -1;
    const name = metricNameOf(bytes, nameStart, nameEnd, tagStart, tagEnd);
    if (this.#index.isFull) this.forget();
    const series = this.#index.add(hash, kind, bytes, nameStart, nameEnd, tagStart, tagEnd);
    this.#sink.series(series, metricKinds[kind]!, name);
    return series;
  }

  /** A line without a name, or without a colon and a whole metric behind it: empty, a service check, or garbage. */
  #noMetric(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && bytes[at] !== colon && bytes[at] !== newline) at++;
    const length = at - start;
    const isLineEnd = at === end || bytes[at] === newline;
    if (isLineEnd && (length === 0 || (length === 1 && bytes[start] === carriageReturn))) return at + 1;
    if (bytes[start] === underscore) {
      const next = this.#notice(bytes, start, end);
      if (next >= 0) return next;
    }
    if (at === start) return this.#faultyLine(badName, bytes, start, end, 'bad_name');
    if (bytes[at] === colon) {
      const isWhole = at + 3 === end && bytes[at + 1] === pipe && kindByByte[bytes[at + 2]!]! >= 0;
      if (isWhole && canBeName(bytes, start, at)) {
        return this.#faultyLine(badValue, bytes, start, end, 'bad_value');
      }
      if (isWhole) return this.#faultyLine(badName, bytes, start, end, 'bad_name');
      return this.#faultyLine('a metric without |', bytes, start, end);
    }
    return this.#faultyLine('a line without a colon', bytes, start, end);
  }

  /** @returns where the next line begins, or -1 if this one is neither an event nor a service check */
  #notice(bytes: Uint8Array, start: number, end: number): number {
    let lineEnd = lineEndOf(bytes, start, end);
    const next = lineEnd + 1;
    if (bytes[lineEnd - 1] === carriageReturn) lineEnd--;
    let notice: StatsdNotice;
    let isGood: boolean;
    if (startsWith(bytes, start, lineEnd, '_e{')) {
      notice = 'event';
      isGood = isEvent(bytes, start, lineEnd);
    } else if (startsWith(bytes, start, lineEnd, '_sc|')) {
      notice = 'service_check';
      isGood = isServiceCheck(bytes, start, lineEnd);
    } else {
      return -1;
    }
    if (isGood) this.#sink.notice(notice);
    else this.#faultyLine(`not a well-formed ${notice.replace('_', ' ')}`, bytes, start, end);
    return next;
  }

  #faultyLine(
    reason: string,
    bytes: Uint8Array,
    start: number,
    end: number,
    code: ErrorCode = 'bad_event',
  ): number {
    const lineEnd = lineEndOf(bytes, start, end);
    this.#events++;
    this.#sink.fault(code, reason, bytes, start, lineEnd);
    return lineEnd + 1;
  }
}

const badName = `the name is empty, has a |, or is longer than ${maxSeriesBytes} bytes with its tags`;
const badValue = 'the value is not a finite decimal number';
const badTimestamp = 'a timestamp that is not a number of seconds from 0';

function canBeName(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > maxSeriesBytes || beginsTags(bytes[start]!)) return false;
  for (let at = start; at < end; at++) if (bytes[at] === pipe) return false;
  return true;
}

function lineEndOf(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== newline) at++;
  return at;
}

function startsWith(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  if (end - start < text.length) return false;
  for (let at = 0; at < text.length; at++) if (bytes[start + at] !== text.charCodeAt(at)) return false;
  return true;
}

/** `word:` of lower-case letters, as every version of DogStatsD has added them since 1.2. */
function isExtension(bytes: Uint8Array, from: number, to: number): boolean {
  let at = from;
  while (at < to && bytes[at]! >= 0x61 && bytes[at]! <= 0x7a) at++;
  return at > from && at < to && bytes[at] === colon;
}
