import { ByteWriter } from '../core/bytes.js';
import { decodedState, EncodedState } from '../core/handlers/encoded-state.js';
import type { Handler } from '../core/handlers/handler.js';
import type { TabName } from '../core/ids.js';
import { encodedName } from '../wire/parts-writer.js';

/** What an empty State, its cell and their place in the tables take up at least. */
const emptyStateBytes = 600;
/** A State in memory against its encoding, at most, by measurement. */
const memoryPerEncodedByte = 4;
const firstMeasuredAtEvents = 32;
const scratch = new ByteWriter(1024);

/** The Part of one tab that waits to be sent. */
export class Cell {
  readonly name: TabName;
  /** As it stands in a payload. */
  readonly encodedName: Uint8Array;
  readonly handler: Handler;
  /** Its row in the columns of numbers; undefined for types that do not gather. */
  readonly row: number | undefined;
  /** Whether something waits: in the State, or in the columns. */
  isWaiting = false;
  /** For `CellOrder` alone: whether it has it on its list of those in which something may wait. */
  isListed = false;
  /** undefined while nothing waits, or all of it is in the columns; an `EncodedState` where it was about to be sent. */
  state: unknown;
  /** Events in the State. */
  events = 0;
  /** Estimated memory of `state`. */
  bytes = 0;
  /** Number of events at which `bytes` is estimated anew. */
  measureAtEvents = 0;
  /** Number of the last flush that took something from here. */
  lastFlush = 0;
  /** Forgotten by the buffer: whoever holds it must ask for the tab again. */
  isRetired = false;

  constructor(name: TabName, handler: Handler, row: number | undefined) {
    this.name = name;
    this.encodedName = encodedName(name);
    this.handler = handler;
    this.row = row;
  }

  static leastBytesOf({ length }: TabName): number {
    return emptyStateBytes + length;
  }

  get leastBytes(): number {
    return Cell.leastBytesOf(this.name);
  }

  begin(): void {
    this.isWaiting = true;
    this.bytes = this.leastBytes;
    this.measureAtEvents = firstMeasuredAtEvents;
  }

  /** The State, to be changed: a new one if there is none. */
  liveState(): unknown {
    this.state = this.state === undefined ? this.handler.newState() : decodedState(this.handler, this.state);
    return this.state;
  }

  /** Estimates the size of the State; the next time at four times the events. @returns by how much it grew */
  measure(): number {
    const bytes = this.leastBytes + this.#encodedBytes() * memoryPerEncodedByte;
    const growth = bytes - this.bytes;
    this.bytes = bytes;
    this.measureAtEvents = this.events * 4;
    return growth;
  }

  #encodedBytes(): number {
    if (this.state instanceof EncodedState) return this.state.end - this.state.start;
    scratch.clear();
    this.handler.encode(this.state, scratch);
    return scratch.length;
  }

  empty(): void {
    this.isWaiting = false;
    this.state = undefined;
    this.events = 0;
    this.bytes = 0;
  }
}
