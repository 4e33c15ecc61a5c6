import { ByteWriter } from '../core/bytes.js';
import { TabaError } from '../core/errors.js';
import { foldGathered } from '../core/gather/fold-gathered.js';
import { NumberColumns } from '../core/gather/number-columns.js';
import { EncodedState } from '../core/handlers/encoded-state.js';
import type { EventMeta } from '../core/handlers/handler.js';
import type { HandlerRegistry } from '../core/handlers/registry.js';
import type { ClientId } from '../core/ids.js';
import { checkTabName } from '../core/names.js';
import type { PartEntry } from '../core/parts.js';
import type { Clock } from '../runtime/clock.js';
import { encodeParts } from '../wire/parts.js';
import { Cell } from './cell.js';
import { CoarseClock } from './coarse-clock.js';
import type { Recorder } from './engine.js';
import type { Tally } from './tally.js';

export interface FoldBufferOptions {
  readonly registry: HandlerRegistry;
  readonly client: ClientId;
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly tally: Tally;
  /** Something waits, where before nothing did. */
  filled(): void;
  /** A second ended in which something was gathered: taken now, it need not become States to make room for the next one. */
  turned(): void;
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
/** Counts of buckets that are at hand, a byte each: for some 4,000 tabs of a wide distribution each. */
const columnCounts = 2 ** 22;
/** What is written here is copied out at once. */
const gatheredWriter = new ByteWriter(1024);

/**
 * The events that wait, folded: one State for each tab. Numbers are gathered in columns before, second by second, which is
 * several times cheaper than folding each of them. A tab that is held (`Recorder`) is folded into without a look-up; memory
 * is bounded by refusing tabs that have nothing waiting yet, never by the number of events.
 */
export class FoldBuffer {
  readonly #options: FoldBufferOptions;
  readonly #clock: CoarseClock;
  readonly #cells = new Map<string, Cell>();
  readonly #columns = new NumberColumns(columnCounts);
  /** Whose row of the columns that is; undefined where nobody's. */
  readonly #cellOfRow: (Cell | undefined)[] = [];
  readonly #freeRows: number[] = [];
  /** What is in the columns belongs to the second that begins here. */
  #second = 0;
  #waiting: Cell[] = [];
  /** Shared by all calls: Handlers keep what they need of it. */
  readonly #meta: { -readonly [K in keyof EventMeta]: EventMeta[K] } = { timestampSec: 0, sequence: 0 };
  /** In the States; those in the columns are not in the books yet. */
  #events = 0;
  #bytes = 0;
  #flushes = 0;
  /** Number of the flush after which quiet cells were last looked for. */
  #forgottenAt = 0;
  /** Goes up when cells are retired: rows that were looked up before may be somebody else's. */
  retirements = 0;
  isClosed = false;

  constructor(options: FoldBufferOptions) {
    this.#options = options;
    this.#clock = new CoarseClock(options.clock, (second) => this.#turnTo(second));
  }

  /** Events that wait. */
  get events(): number {
    return this.#events + this.#columns.events;
  }

  /** Those of them that the tally has not counted as recorded yet. */
  get untold(): number {
    return this.#columns.events;
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
    if (this.#cells.size >= manyCells) this.#forgetQuiet();
    const tab = checkTabName(String(name));
    const handler = this.#options.registry.get(type);
    if (handler === undefined) {
      throw new TabaError('unknown_type', `no handler for the tab type ${JSON.stringify(type)}`);
    }
    const row =
      handler.foldGathered === undefined ? undefined : (this.#freeRows.pop() ?? this.#cellOfRow.length);
    const cell = new Cell(tab, handler, row);
    if (row !== undefined) this.#cellOfRow[row] = cell;
    this.#cells.set(name, cell);
    return cell;
  }

  /**
   * Adds a finite number to the row of a tab, if that takes no more than the columns: what most events are.
   * @returns false, and has done nothing, where it is not so: `record` it
   */
  gather(row: number, value: number): boolean {
    // May turn to another second, which empties the columns.
    this.#clock.nowSec();
    // Adding 0 turns -0 into 0, as `parse` does.
    return this.#columns.addMore(row, value + 0);
  }

  record(cell: Cell, payload: unknown): void {
    const nowSec = this.#clock.nowSec();
    if (cell.row !== undefined && isFiniteNumber(payload)) {
      if (cell.isWaiting || this.#begin(cell)) this.#columns.add(cell.row, payload + 0, 1);
    } else {
      this.#fold(cell, payload, nowSec);
    }
  }

  #fold(cell: Cell, payload: unknown, nowSec: number): void {
    try {
      const value = cell.handler.parse(payload);
      if (!cell.isWaiting && !this.#begin(cell)) return;
      this.#meta.timestampSec = nowSec;
      this.#meta.sequence++;
      cell.handler.fold(cell.liveState(), value, this.#meta);
      cell.events++;
      this.#events++;
      this.#options.tally.recorded++;
      if (cell.events >= cell.measureAtEvents) this.#bytes += cell.measure();
    } catch (error) {
      this.#options.tally.reject(error, { name: cell.name, type: cell.handler.type });
    }
  }

  /** Numbers are gathered for this second from now on. */
  #turnTo(second: number): void {
    if (this.#columns.events > 0) this.#options.turned();
    this.#foldColumns();
    this.#second = second;
  }

  /** Moves what was gathered into the States. */
  #foldColumns(): void {
    if (this.#columns.events === 0) return;
    const meta: EventMeta = { timestampSec: this.#second, sequence: this.#meta.sequence++ };
    this.#columns.drain((row, gathered) => {
      const cell = this.#cellOfRow[row]!;
      foldGathered(cell.handler, cell.liveState(), gathered, meta);
      this.#tell(cell, gathered.events);
      if (cell.events >= cell.measureAtEvents) this.#bytes += cell.measure();
    });
  }

  /** The same for States that are about to be sent: where nothing else waits, what is encoded needs no State before. */
  #encodeColumns(): void {
    if (this.#columns.events === 0) return;
    const meta: EventMeta = { timestampSec: this.#second, sequence: this.#meta.sequence++ };
    const out = gatheredWriter;
    out.clear();
    const encoded: Cell[] = [];
    const ends: number[] = [];
    this.#columns.drain((row, gathered) => {
      const cell = this.#cellOfRow[row]!;
      const { handler } = cell;
      this.#tell(cell, gathered.events);
      if (cell.state !== undefined || handler.encodeGathered === undefined) {
        foldGathered(handler, cell.liveState(), gathered, meta);
        return;
      }
      handler.encodeGathered(gathered, meta.timestampSec, out);
      encoded.push(cell);
      ends.push(out.length);
    });
    const bytes = out.finish();
    for (let index = 0, start = 0; index < encoded.length; index++) {
      const end = ends[index]!;
      encoded[index]!.state = new EncodedState(bytes, start, end);
      start = end;
    }
  }

  /** Events that were in the columns are in the books from now on. */
  #tell(cell: Cell, events: number): void {
    cell.events += events;
    this.#events += events;
    this.#options.tally.recorded += events;
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
    this.#encodeColumns();
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
    this.#foldColumns();
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
    for (const cell of this.#waiting) this.#bytes += cell.measure();
    this.#flushes++;
    let events = 0;
    for (const cell of taken) {
      events += cell.events;
      this.#bytes -= cell.bytes;
      cell.lastFlush = this.#flushes;
      cell.empty();
    }
    this.#events -= events;
    return events;
  }

  /** Only where a cell is about to be looked up: nobody is in the middle of recording into one. */
  #forgetQuiet(): void {
    if (this.#forgottenAt === this.#flushes) return;
    this.#forgottenAt = this.#flushes;
    for (const [name, cell] of this.#cells) {
      if (cell.isWaiting || this.#flushes - cell.lastFlush < flushesKept) continue;
      cell.isRetired = true;
      if (cell.row !== undefined) {
        this.#cellOfRow[cell.row] = undefined;
        this.#freeRows.push(cell.row);
      }
      this.#cells.delete(name);
      this.retirements++;
    }
  }
}

/** A held tab. The cell behind it is looked up once, and again only after it was forgotten. */
class TabRecorder implements Recorder {
  readonly #buffer: FoldBuffer;
  readonly #name: string;
  readonly #type: string;
  #cell: Cell | undefined;
  /** That of the cell, as long as the buffer's `retirements` are what they were then. */
  #row = 0;
  #rowAtRetirements = -1;

  constructor(buffer: FoldBuffer, name: string, type: string) {
    this.#buffer = buffer;
    this.#name = name;
    this.#type = type;
  }

  record(value: unknown): void {
    const buffer = this.#buffer;
    if (
      this.#rowAtRetirements === buffer.retirements &&
      isFiniteNumber(value) &&
      buffer.gather(this.#row, value)
    ) {
      return;
    }
    this.#recordInCell(value);
  }

  #recordInCell(value: unknown): void {
    let cell = this.#cell;
    if (cell === undefined || cell.isRetired) {
      cell = this.#buffer.cellOf(this.#name, this.#type);
      this.#cell = cell;
      if (cell === undefined) return;
    }
    this.#buffer.record(cell, value);
    if (cell.row === undefined || cell.isRetired) return;
    this.#row = cell.row;
    this.#rowAtRetirements = this.#buffer.retirements;
  }
}

function isFiniteNumber(value: unknown): value is number {
  // What is not finite is not equal to itself after subtraction.
  return typeof value === 'number' && value - value === 0;
}
