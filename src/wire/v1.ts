/**
 * Protocol v1: the text that the first Taba's clients and agents send.
 *
 *     1                                            version
 *                                                  blank
 *     host-1                                       per client: its id
 *                                                  blank
 *     winning_bid_price                            per tab: its name
 *     ["CounterGroup", 1396980134.25, "1.5"]       per event: JSON [tab type, seconds UTC, payload]; the payload is JSON
 *     ["CounterGroup", 1396980135, "[1.5]"]        within a string; a number may come alone in an array
 *                                                  blank: ends the tab
 *                                                  blank: ends the client; the next one may follow
 *
 * Lines end in `\n`. The blank lines at the end of a body may be missing, and so may the last `\n`, if what stands
 * there is whole. Events are numbered from 0 over the whole body, in the order of their lines.
 *
 * An event line that is broken is a fault of that event alone. Fatal to the whole body is whatever leaves it open to
 * whom or what the following lines belong: a missing blank line behind the version or a client id, an event where a tab
 * name is due, a tab without events (it is what a client id looks like when the blank line before it is missing), a
 * last line that is cut off, lines that end in `\r\n`.
 */
import { TabaError } from '../core/errors.js';
import { isCutOff } from './cut-off.js';
import { EventLineScanner } from './event-line.js';
import type { ItemSink, RawEvent } from './item-sink.js';
import { TextCache } from './text-cache.js';

const newline = 0x0a;
const carriageReturn = 0x0d;
const openingBracket = 0x5b;

/** @throws TabaError `bad_framing`, `unsupported_version` */
export function parseV1(body: Uint8Array, sink: ItemSink): void {
  new V1Parser(body, sink).parse();
}

class V1Parser {
  readonly #body: Uint8Array;
  /** The same bytes. */
  readonly #view: DataView;
  readonly #sink: ItemSink;
  readonly #events: EventLineScanner;
  /** Where the next line begins. */
  #at = 0;
  /** Number of the line read last, from 1, as editors count. */
  #line = 0;

  constructor(body: Uint8Array, sink: ItemSink) {
    const { buffer, byteOffset, length } = body;
    // Buffers and mere arrays alike: what is compiled for one kind would be thrown away for the other.
    this.#body = new Uint8Array(buffer, byteOffset, length);
    this.#view = new DataView(buffer, byteOffset, length);
    this.#sink = sink;
    this.#events = new EventLineScanner(this.#body, this.#view);
  }

  parse(): void {
    this.#version();
    while (!this.#onlyBlankLinesLeft()) this.#client();
  }

  #version(): void {
    if (this.#body.length === 0) throw new TabaError('bad_framing', 'the body is empty');
    const version = this.#readLine('the version');
    if (version !== '1') {
      throw new TabaError('unsupported_version', `line 1 is ${quoted(version)}, not the version 1`);
    }
    if (this.#at < this.#body.length) this.#blankLine('the version');
  }

  #client(): void {
    const isEvent = this.#body[this.#at] === openingBracket;
    const client = this.#readLine('a client id');
    if (client === '') throw this.#fault('is blank, where a client id is due');
    if (isEvent) throw this.#fault('is an event, where a client id is due');
    this.#blankLine('the client id');
    while (this.#at < this.#body.length && this.#body[this.#at] !== newline) this.#tab(client);
    if (this.#at < this.#body.length) this.#skipBlankLine();
  }

  #tab(client: string): void {
    const isEvent = this.#body[this.#at] === openingBracket;
    const tab = this.#readLine('a tab name');
    if (isEvent) throw this.#fault('is an event, where a tab name is due');
    const { length } = this.#body;
    if (this.#at >= length) throw this.#fault('names a tab, and the body ends there');
    if (this.#body[this.#at] === newline) {
      throw this.#fault('names a tab without events; is the blank line missing that ends the client before?');
    }
    while (this.#at < length && this.#body[this.#at] !== newline) {
      const lines = this.#events.scan(this.#at);
      if (lines > 0) this.#numbers(client, tab, lines);
      else this.#slowEvent(client, tab);
    }
    if (this.#at < length) this.#skipBlankLine();
  }

  /** What was scanned. */
  #numbers(client: string, tab: string, count: number): void {
    const { type, timestampsSec, payloads, end } = this.#events;
    this.#line += count;
    this.#at = end;
    if (this.#sink.numbers !== undefined) {
      this.#sink.numbers({ client, tab, type, timestampsSec, payloads, count });
      return;
    }
    for (let at = 0; at < count; at++) {
      this.#sink.event({ client, tab, type, timestampSec: timestampsSec[at], payload: payloads[at] });
    }
  }

  /** An event line that the scanner left alone: unusual, or broken. */
  #slowEvent(client: string, tab: string): void {
    this.#line++;
    const start = this.#at;
    const end = this.#lineEnd(start);
    const line = this.#body.subarray(start, end);
    this.#at = end + 1;
    let event: RawEvent;
    try {
      event = this.#events.parse(line, client, tab);
    } catch (error) {
      if (!(error instanceof TabaError)) throw error;
      if (end === this.#body.length && isCutOff(textDecoder.decode(line))) throw this.#fault('is cut off');
      if (line.at(-1) === carriageReturn) throw this.#endsInCarriageReturn();
      const hint = line[0] === openingBracket ? '' : '; is the blank line missing that ends the tab before?';
      this.#sink.fault(error.code, `line ${this.#line}: ${error.message}${hint}`);
      return;
    }
    if (line.at(-1) === carriageReturn) throw this.#endsInCarriageReturn();
    this.#sink.event(event);
  }

  #lineEnd(start: number): number {
    const end = this.#body.indexOf(newline, start);
    return end < 0 ? this.#body.length : end;
  }

  /** The next line, which must not be the cut-off end of the body unless it is the version. */
  #readLine(what: string): string {
    const start = this.#at;
    const end = this.#lineEnd(start);
    this.#line++;
    this.#at = end + 1;
    if (end === this.#body.length && this.#line > 1)
      throw this.#fault(`ends the body in the middle of ${what}`);
    if (this.#body[end - 1] === carriageReturn && end > start) throw this.#endsInCarriageReturn();
    return texts.textOf(this.#body, this.#view, start, end);
  }

  #blankLine(what: string): void {
    if (this.#at >= this.#body.length)
      throw this.#fault(`ends the body behind ${what}, where a blank line is due`);
    const behind = this.#line;
    if (this.#body[this.#at] !== newline) {
      this.#line++;
      if (this.#body[this.#at] === carriageReturn) throw this.#endsInCarriageReturn();
      throw this.#fault(`follows ${what} on line ${behind}, where a blank line is due`);
    }
    this.#skipBlankLine();
  }

  #skipBlankLine(): void {
    this.#at++;
    this.#line++;
  }

  #onlyBlankLinesLeft(): boolean {
    for (let at = this.#at; at < this.#body.length; at++) if (this.#body[at] !== newline) return false;
    return true;
  }

  #endsInCarriageReturn(): TabaError {
    return this.#fault('ends in \\r\\n; lines of protocol v1 end in \\n');
  }

  #fault(what: string): TabaError {
    return new TabaError('bad_framing', `line ${this.#line} ${what}`);
  }
}

const textDecoder = new TextDecoder();
/** Names of tabs and clients. */
const texts = new TextCache();

function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

/** An event that `encodeV1` writes: `payload` is what `JSON.stringify` takes. */
export interface V1Event {
  readonly client: string;
  readonly tab: string;
  readonly type: string;
  readonly timestampSec: number;
  readonly payload: unknown;
}

/** Writes events the way the first Taba's clients do, gathered by client and tab in the order of their first events. */
export function encodeV1(events: Iterable<V1Event>): Uint8Array {
  const clients = new Map<string, Map<string, string[]>>();
  for (const { client, tab, type, timestampSec, payload } of events) {
    const tabs = clients.get(client) ?? new Map<string, string[]>();
    clients.set(client, tabs);
    const lines = tabs.get(tab) ?? [];
    tabs.set(tab, lines);
    const text = JSON.stringify(JSON.stringify(payload));
    lines.push(`[${JSON.stringify(type)}, ${JSON.stringify(timestampSec)}, ${text}]\n`);
  }
  let body = '1\n\n';
  for (const [client, tabs] of clients) {
    body += `${client}\n\n`;
    for (const [tab, lines] of tabs) body += `${tab}\n${lines.join('')}\n`;
    body += '\n';
  }
  return new TextEncoder().encode(body);
}
