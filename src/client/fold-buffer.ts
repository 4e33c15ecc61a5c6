import { TabaError } from '../core/errors.js';
import type { EventMeta } from '../core/handlers/handler.js';
import type { HandlerRegistry } from '../core/handlers/registry.js';
import type { ClientId } from '../core/ids.js';
import { checkTabName } from '../core/names.js';
import type { PartEntry } from '../core/parts.js';
import { encodeParts } from '../wire/parts.js';
import { Cell } from './cell.js';
import type { CoarseClock } from './coarse-clock.js';
import type { Recorder } from './engine.js';
import type { Tally } from './tally.js';

export interface FoldBufferOptions {
  readonly registry: HandlerRegistry;
  readonly client: ClientId;
  readonly maxBytes: number;
  readonly clock: CoarseClock;
  readonly tally: Tally;
  /** Something waits, where before nothing did. */
  filled(): void;
}

/** Parts taken out of the buffer, as one payload. */
export interface TakenParts {
  readonly payload: Uint8Array;
  readonly events: number;
  /** More is waiting: it did not fit. */
  readonly isPartial: boolean;
}

/** With more tabs than this, those that had nothing to send for a few flushes are forgotten. */
const manyCells = 10_000;
const flushesKept = 16;

/**
 * The events that wait, folded: one State for each tab. A tab that is held (`Recorder`) is folded into without a
 * look-up; memory is bounded by refusing tabs that have nothing waiting yet, never by the number of events.
 */
export class FoldBuffer {
  readonly #options: FoldBufferOptions;
  readonly #cells = new Map<string, Cell>();
  #waiting: Cell[] = [];
  /** Shared by all calls: Handlers keep what they need of it. */
  readonly #meta: { -readonly [K in keyof EventMeta]: EventMeta[K] } = { timestampSec: 0, sequence: 0 };
  #events = 0;
  #bytes = 0;
  #flushes = 0;
  isClosed = false;

  constructor(options: FoldBufferOptions) {
    this.#options = options;
  }

  get events(): number {
    return this.#events;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  tab(name: string, type: string): Recorder {
    return new TabRecorder(this, name, type);
  }

  /** The cell of a tab; undefined, and counted as one rejected event, if there cannot be one. */
  cellOf(name: string, type: string): Cell | undefined {
    const known = this.#cells.get(name);
    if (known?.handler.type === type) return known;
    try {
      return this.#newCell(name, type, known);
    } catch (error) {
      this.#options.tally.reject(error, { name, type });
      return undefined;
    }
  }

  #newCell(name: string, type: string, known: Cell | undefined): Cell {
    if (known !== undefined) {
      throw new TabaError('type_conflict', `${name} is a ${known.handler.type} here, not a ${type}`);
    }
    const tab = checkTabName(String(name));
    const handler = this.#options.registry.get(type);
    if (handler === undefined) {
      throw new TabaError('unknown_type', `no handler for the tab type ${JSON.stringify(type)}`);
    }
    const cell = new Cell(tab, handler);
    this.#cells.set(name, cell);
    return cell;
  }

  record(cell: Cell, payload: unknown): void {
    try {
      const value = cell.handler.parse(payload);
      if (cell.state === undefined && !this.#begin(cell)) return;
      this.#meta.timestampSec = this.#options.clock.nowSec();
      this.#meta.sequence++;
      cell.handler.fold(cell.state, value, this.#meta);
      cell.events++;
      this.#events++;
      this.#options.tally.recorded++;
      if (cell.events === cell.measureAtEvents) this.#bytes += cell.measure();
    } catch (error) {
      this.#options.tally.reject(error, { name: cell.name, type: cell.handler.type });
    }
  }

  /** @returns whether there is room */
  #begin(cell: Cell): boolean {
    if (this.isClosed || this.#bytes + cell.leastBytes > this.#options.maxBytes) {
      this.#options.tally.recorded++;
      this.#options.tally.lose(this.isClosed ? 'closed' : 'buffer_full', 1);
      return false;
    }
    cell.begin();
    this.#bytes += cell.bytes;
    this.#waiting.push(cell);
    if (this.#waiting.length === 1) this.#options.filled();
    return true;
  }

  /**
   * Takes what waits, as much as fits into a payload of `maxPayloadBytes`; undefined if nothing waits. A Part that alone
   * is larger is counted as lost.
   */
  take(maxPayloadBytes: number): TakenParts | undefined {
    while (this.#waiting.length > 0) {
      let count = this.#waiting.length;
      let payload = this.#encode(count);
      while (payload.length > maxPayloadBytes && count > 1) {
        count = Math.ceil(count / 2);
        payload = this.#encode(count);
      }
      const events = this.#remove(count);
      if (payload.length <= maxPayloadBytes) return { payload, events, isPartial: this.#waiting.length > 0 };
      this.#options.tally.lose('too_large', events);
    }
    return undefined;
  }

  /** Gives up what waits. @returns how many events that were */
  discard(): number {
    return this.#remove(this.#waiting.length);
  }

  #encode(count: number): Uint8Array {
    const { client, registry } = this.#options;
    const entries = this.#waiting.slice(0, count).map(
      ({ name, handler, state, events }): PartEntry => ({
        tab: name,
        type: handler.type,
        client,
        state,
        events,
      }),
    );
    return encodeParts(entries, registry);
  }

  #remove(count: number): number {
    const taken = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    this.#flushes++;
    let events = 0;
    for (const cell of taken) {
      events += cell.events;
      this.#bytes -= cell.bytes;
      cell.lastFlush = this.#flushes;
      cell.empty();
    }
    this.#events -= events;
    if (this.#cells.size > manyCells) this.#forgetQuiet();
    return events;
  }

  #forgetQuiet(): void {
    for (const [name, cell] of this.#cells) {
      if (cell.state !== undefined || this.#flushes - cell.lastFlush < flushesKept) continue;
      cell.isRetired = true;
      this.#cells.delete(name);
    }
  }
}

/** A held tab. The cell behind it is looked up once, and again only after it was forgotten. */
class TabRecorder implements Recorder {
  readonly #buffer: FoldBuffer;
  readonly #name: string;
  readonly #type: string;
  #cell: Cell | undefined;

  constructor(buffer: FoldBuffer, name: string, type: string) {
    this.#buffer = buffer;
    this.#name = name;
    this.#type = type;
  }

  record(value: unknown): void {
    let cell = this.#cell;
    if (cell === undefined || cell.isRetired) {
      cell = this.#buffer.cellOf(this.#name, this.#type);
      this.#cell = cell;
      if (cell === undefined) return;
    }
    this.#buffer.record(cell, value);
  }
}
