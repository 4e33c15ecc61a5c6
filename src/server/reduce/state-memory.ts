import { ByteReader, ByteWriter } from '../../core/bytes.js';
import type { EncodedState } from '../../core/handlers/encoded-state.js';
import type { Handler } from '../../core/handlers/handler.js';
import { decodeState, encodedIn, encodeState, examineState, sealState } from '../../wire/state.js';
import type { Slot } from './slot.js';
import { maxSmallBytes, SmallStates } from './small-states.js';

/**
 * A State that gets so many Parts until its page is made again becomes an object: to add to it costs less then, to encode it costs more, and so
 * does its memory.
 */
const often = 3;
/** An object that got no more than so many Parts is kept encoded from then on. */
const seldom = 1;

/**
 * The States that a process has in memory: small ones to which little happens lie encoded side by side, where their Handlers can add to them
 * so; all others are objects. Which of them it is makes no difference to what they hold.
 */
export class StateMemory {
  readonly #small = new SmallStates();
  readonly #part = new ByteReader(new Uint8Array(0));
  readonly #sum = new ByteWriter(1024);

  /** Memory that is set aside for encoded States and holds none, bytes. */
  get freeBytes(): number {
    return this.#small.freeBytes;
  }

  /** For reading only, and a copy where it is kept encoded; undefined while it is not in memory. */
  stateOf({ kept, tabSlots }: Slot): unknown {
    return typeof kept === 'number' ? tabSlots.handler!.decode(this.#small.read(kept)) : kept;
  }

  /** To be changed; from now on it is an object. Undefined while it is not in memory. */
  writable(slot: Slot): unknown {
    const state = this.stateOf(slot);
    if (typeof slot.kept === 'number') this.keep(slot, state);
    return state;
  }

  keep(slot: Slot, state: unknown): void {
    this.drop(slot);
    slot.kept = state as object;
  }

  /** What `page` holds. @param state the same, where it was decoded before @throws TabaError `corrupt` */
  keepPage(slot: Slot, handler: Handler, page: Uint8Array, state?: unknown): void {
    const encoded = mayBeSmall(handler, page) ? examineState(handler, page) : undefined;
    if (encoded === undefined) this.keep(slot, state ?? decodeState(handler, page));
    else this.#keepEncoded(slot, handler, encoded);
  }

  /**
   * Adds an encoded State to one that is in memory, or is to begin with it.
   * @returns false, and has changed nothing, where it has to be added to the object
   */
  add(slot: Slot, handler: Handler, { bytes, start, end }: EncodedState): boolean {
    const { kept } = slot;
    if (handler.sumEncoded === undefined || ++slot.adds >= often || typeof kept === 'object') return false;
    const sum = this.#sum;
    sum.clear();
    const before = kept === undefined ? emptyOf(handler) : this.#small.read(kept);
    if (!handler.sumEncoded(before, this.#part.restart(bytes, start, end), sum)) return false;
    this.#keepEncoded(slot, handler, sum.peek());
    return true;
  }

  #keepEncoded(slot: Slot, handler: Handler, encoded: Uint8Array): void {
    const { kept } = slot;
    if (encoded.length > maxSmallBytes) this.keep(slot, handler.decode(new ByteReader(encoded)));
    else if (typeof kept === 'number') slot.kept = this.#small.replace(kept, encoded, 0, encoded.length);
    else slot.kept = this.#small.keep(encoded, 0, encoded.length);
  }

  /** A State that is in memory, as a page. */
  pageOf(slot: Slot, handler: Handler): Uint8Array {
    const { kept, adds } = slot;
    slot.adds = 0;
    if (typeof kept === 'number') return sealState(handler, this.#small.read(kept));
    const page = encodeState(handler, kept);
    if (adds <= seldom && mayBeSmall(handler, page)) this.#keepEncoded(slot, handler, encodedIn(page));
    return page;
  }

  drop(slot: Slot): void {
    if (typeof slot.kept === 'number') this.#small.release(slot.kept);
    slot.kept = undefined;
  }
}

function mayBeSmall({ sumEncoded, examine }: Handler, page: Uint8Array): boolean {
  return sumEncoded !== undefined && examine !== undefined && page.length <= maxSmallBytes;
}

const empties = new Map<Handler, Uint8Array>();
const emptyReader = new ByteReader(new Uint8Array(0));

/** A new State, encoded. */
function emptyOf(handler: Handler): ByteReader {
  let empty = empties.get(handler);
  if (empty === undefined) {
    const out = new ByteWriter();
    handler.encode(handler.newState(), out);
    empty = out.finish();
    empties.set(handler, empty);
  }
  return emptyReader.restart(empty, 0, empty.length);
}
