import { TabaError } from '../core/errors.js';
import { foldGathered } from '../core/gather/fold-gathered.js';
import type { Gathered } from '../core/gather/gathered.js';
import { NumberColumns } from '../core/gather/number-columns.js';
import type { EventMeta } from '../core/handlers/handler.js';
import type { HandlerRegistry } from '../core/handlers/registry.js';
import type { ClientId } from '../core/ids.js';
import { checkTabName } from '../core/names.js';
import type { Clock } from '../runtime/clock.js';
import { headBytes, PartsWriter } from '../wire/parts-writer.js';
import { Cell } from './cell.js';
import { CellOrder, handlersOf } from './cell-order.js';
import { CoarseClock } from './coarse-clock.js';
import type { Recorder } from './engine.js';
import { EventStage } from './event-stage.js';
import { type Cells, isFiniteNumber, TabRecorder } from './tab-recorder.js';
import type { Tally } from './tally.js';

export interface FoldBufferOptions {
  readonly registry: HandlerRegistry;
  readonly client: ClientId;
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly tally: Tally;
  /** Something waits, where before nothing did. */
  filled(): void;
  /** A second ended in which something was gathered: taken now, it need not be told apart from the next one. */
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
const flushesKept = 64;
/** To look for those takes a while: it need not be done with every flush. */
const flushesBetween = 16;
/** Counts of buckets that are at hand, a byte each: for some 8,000 busy tabs of a wide distribution each. */
const columnCounts = 2 ** 23;
/** So many seconds may wait in columns before they become States: an agent that does not answer may stay away for long. */
const maxClosedSeconds = 10;
const payloads = new PartsWriter();

/**
 * The events that wait, folded: one State for each tab. Numbers are gathered in columns, which is several times cheaper than
 * folding each of them, and go from there into payloads; they become States only where they wait for long. A tab that is held
 * (`Recorder`) is folded into without a look-up; memory is bounded by refusing tabs that have nothing waiting yet, never by the
 * number of events.
 */
export class FoldBuffer implements Cells {
  readonly #options: FoldBufferOptions;
  readonly #clock: CoarseClock;
  readonly #cells = new Map<string, Cell>();
  /** What came last, on its way to the columns. */
  readonly #stage = new EventStage();
  readonly #columns = new NumberColumns(columnCounts);
  /** Whose row of the columns that is; undefined where nobody's. */
  readonly #cellOfRow: (Cell | undefined)[] = [];
  readonly #freeRows: number[] = [];
  /** What came into the columns since they were last closed belongs to the second that begins here. */
  #second = 0;
  /** What types allow to be gathered together, seconds: the shortest of their periods. */
  #gatherPeriodSec = Number.POSITIVE_INFINITY;
  readonly #order = new CellOrder();
  /** Cells that wait. */
  #waiting = 0;
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
  #isClosed = false;

  constructor(options: FoldBufferOptions) {
    this.#options = options;
    this.#clock = new CoarseClock(options.clock, {
      turned: (second) => this.#turnTo(second),
      expired: () => this.#drainStage(),
    });
  }

  /** Events that wait. */
  get events(): number {
    return this.#events + this.untold;
  }

  /** Those of them that the tally has not counted as recorded yet. */
  get untold(): number {
    return this.#columns.events + this.#stage.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#waiting === 0;
  }

  tab(name: string, type: string): Recorder {
    return new TabRecorder(this, name, type);
  }

  /** The cell of a tab; undefined, and counted as one event rejected or lost, if there cannot be one. */
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

  #newCell(name: string, type: string, known: Cell | undefined): Cell | undefined {
    if (known !== undefined) {
      throw new TabaError('type_conflict', `${name} is a ${known.handler.type} here, not a ${type}`);
    }
    if (this.#cells.size >= manyCells) this.#forgetQuiet();
    const tab = checkTabName(String(name));
    const handler = this.#options.registry.get(type);
    if (handler === undefined) {
      throw new TabaError('unknown_type', `no handler for the tab type ${JSON.stringify(type)}`);
    }
    // Names made up while nothing can be sent would leave their cells behind.
    if (!this.#hasRoom(Cell.leastBytesOf(tab))) return undefined;
    const row =
      handler.foldGathered === undefined ? undefined : (this.#freeRows.pop() ?? this.#cellOfRow.length);
    const cell = new Cell(tab, handler, row);
    if (row !== undefined) {
      this.#cellOfRow[row] = cell;
      this.#gatherPeriodSec = Math.min(this.#gatherPeriodSec, handler.gatherPeriodSec ?? 0);
    }
    this.#cells.set(name, cell);
    this.#order.add(cell);
    return cell;
  }

  /**
   * Takes a finite number for the row of a tab, to be added with others: what happens to most events.
   * @returns false, and has done nothing, where that cannot be: `record` it
   */
  gather(row: number, value: number): boolean {
    if (this.#stage.length === 0 && !this.#mayStage()) return false;
    // Adding 0 turns -0 into 0, as `parse` does.
    if (this.#stage.put(row, value + 0)) this.#drainStage();
    return true;
  }

  /** Those that are staged belong to the second that this look finds. */
  #mayStage(): boolean {
    if (!this.#stage.isOpen) return false;
    this.#clock.look();
    // The first that waits has to be seen at once: flushes follow from it.
    return this.#waiting > 0;
  }

  #drainStage(): void {
    this.#stage.drain(this.#addStaged);
  }

  /** One function for all batches: there are tens of thousands of them a second. */
  readonly #addStaged = (length: number): void => {
    const { rows, values } = this.#stage;
    for (let at = 0; ; at++) {
      at = this.#columns.addEach(rows, values, at, length);
      if (at === length) return;
      this.#add(rows[at]!, values[at]!);
    }
  };

  record(cell: Cell, payload: unknown): void {
    const nowSec = this.#clock.nowSec();
    if (cell.row !== undefined && isFiniteNumber(payload)) {
      this.#add(cell.row, payload + 0);
    } else {
      this.#fold(cell, payload, nowSec);
    }
  }

  #add(row: number, value: number): void {
    const cell = this.#cellOfRow[row]!;
    if (cell.isWaiting || this.#begin(cell)) this.#columns.add(row, value, 1);
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
    this.#drainStage();
    if (this.#columns.events > 0) this.#options.turned();
    if (this.#columns.events > 0) {
      if (this.#mayGatherOn(second)) this.#columns.close(this.#second);
      else this.#foldColumns();
    }
    this.#second = second;
  }

  /** Whether the columns can tell the seconds apart. A State of its own for each tab costs many times as much. */
  #mayGatherOn(second: number): boolean {
    const period = this.#gatherPeriodSec;
    return (
      second > this.#second &&
      this.#columns.closedSeconds < maxClosedSeconds &&
      Math.floor(second / period) === Math.floor(this.#second / period)
    );
  }

  /** Moves what was gathered into the States. */
  #foldColumns(): void {
    this.#closeLast();
    this.#columns.drain((row, gathered) => this.#foldRow(this.#cellOfRow[row]!, gathered));
  }

  #foldRow(cell: Cell, gathered: Gathered): void {
    const meta = { timestampSec: this.#newestSecond(gathered), sequence: this.#meta.sequence++ };
    foldGathered(cell.handler, cell.liveState(), gathered, meta);
    this.#tell(cell, gathered.events);
    if (cell.events >= cell.measureAtEvents) this.#bytes += cell.measure();
  }

  /** Where seconds are told apart, the present one has to be as well. */
  #closeLast(): void {
    if (this.#columns.closedSeconds > 0) this.#columns.close(this.#second);
  }

  #newestSecond({ bySecond: { seconds, length } }: Gathered): number {
    return length > 0 ? seconds[length - 1]! : this.#second;
  }

  /** Events that were in the columns are in the books from now on. */
  #tell(cell: Cell, events: number): void {
    cell.events += events;
    this.#events += events;
    this.#options.tally.recorded += events;
  }

  /** @returns whether there is room for a tab that waits; where there is none, an event is lost */
  #hasRoom(leastBytes: number): boolean {
    if (!this.#isClosed && this.#bytes + leastBytes <= this.#options.maxBytes) return true;
    this.#options.tally.recorded++;
    this.#options.tally.lose(this.#isClosed ? 'closed' : 'buffer_full', 1);
    return false;
  }

  /** @returns whether there is room */
  #begin(cell: Cell): boolean {
    if (!this.#hasRoom(cell.leastBytes)) return false;
    cell.begin();
    this.#order.begin(cell);
    this.#bytes += cell.bytes;
    this.#waiting++;
    if (this.#waiting === 1) this.#options.filled();
    return true;
  }

  /**
   * Takes what waits, as much as fits into a payload of `maxPayloadBytes`; undefined if nothing waits. A Part that alone
   * is larger is counted as lost.
   */
  take(maxPayloadBytes: number): TakenParts | undefined {
    this.#drainStage();
    if (this.#waiting === 0) return undefined;
    this.#closeLast();
    this.#flushes++;
    const waiting = this.#order.waiting();
    const handlers = handlersOf(waiting);
    const typeOf = new Map(handlers.map((handler, index) => [handler, index]));
    const clients = [this.#options.client];
    const room = maxPayloadBytes - headBytes(clients, handlers);
    let events = 0;
    let tooLarge = 0;
    for (const cell of waiting) {
      const before = payloads.length;
      payloads.beginTab(cell.encodedName, typeOf.get(cell.handler)!, 1);
      this.#write(cell);
      if (payloads.length <= room) {
        events += this.#remove(cell);
        continue;
      }
      payloads.takeBack(before);
      if (before > 0) {
        this.#order.beginAt(cell);
        break;
      }
      tooLarge += this.#remove(cell);
    }
    this.#columns.settle();
    this.#order.taken();
    const isPartial = this.#waiting > 0;
    if (isPartial) this.#measureWaiting();
    const payload = payloads.length > 0 ? payloads.finish(clients, handlers) : undefined;
    // The application hears of it, and may do here what it likes: only now.
    if (tooLarge > 0) this.#options.tally.lose('too_large', tooLarge);
    return payload === undefined ? undefined : { payload, events, isPartial };
  }

  /** Writes what waits of a cell as a Part; straight from the columns where nothing else waits. */
  #write(cell: Cell): void {
    const { row, handler } = cell;
    if (row !== undefined && this.#columns.has(row)) {
      const gathered = this.#columns.show(row);
      if (cell.state === undefined && handler.encodeGathered !== undefined) {
        const newestSec = this.#newestSecond(gathered);
        payloads.encodedPart(0, gathered.events, (out) => handler.encodeGathered!(gathered, newestSec, out));
        return;
      }
      this.#foldRow(cell, gathered);
      this.#columns.empty(row);
    }
    payloads.part(handler, 0, cell.events, cell.state);
  }

  /** What comes from now on is lost, unless it merges with what waits. */
  close(): void {
    this.#drainStage();
    this.#isClosed = true;
  }

  /** Gives up what waits. @returns how many events that were */
  discard(): number {
    this.#drainStage();
    let events = 0;
    for (const cell of this.#cells.values()) if (cell.isWaiting) events += this.#remove(cell);
    this.#columns.settle();
    this.#order.taken();
    return events;
  }

  /** Nothing of the cell waits any more. @returns how many events did */
  #remove(cell: Cell): number {
    const { row } = cell;
    if (row !== undefined && this.#columns.has(row)) {
      this.#tell(cell, this.#columns.show(row).events);
      this.#columns.empty(row);
    }
    const { events } = cell;
    this.#events -= events;
    this.#bytes -= cell.bytes;
    this.#waiting--;
    cell.lastFlush = this.#flushes;
    cell.empty();
    return events;
  }

  /** What did not fit is counted by its size: it may go on growing. */
  #measureWaiting(): void {
    this.#foldColumns();
    for (const cell of this.#cells.values()) if (cell.isWaiting) this.#bytes += cell.measure();
  }

  /** Only where a cell is about to be looked up: nobody is in the middle of recording into one. */
  #forgetQuiet(): void {
    if (this.#flushes - this.#forgottenAt < flushesBetween || !this.#stage.isOpen) return;
    this.#forgottenAt = this.#flushes;
    this.#drainStage();
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
    this.#order.dropRetired();
  }
}
