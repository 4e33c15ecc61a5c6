import { ByteReader, ByteWriter } from '../../core/bytes.js';
import { decodedState, type EncodedState } from '../../core/handlers/encoded-state.js';
import type { Handler } from '../../core/handlers/handler.js';
import {
  beginState,
  decodeState,
  encodeState,
  examineState,
  headerBytes,
  sealState,
} from '../../wire/state.js';
import type { Slot } from './slot.js';
import { type Place, SmallStates } from './small-states.js';

/** States of up to so many encoded bytes stay encoded: there has to be room for several Parts beside them. */
const maxEncodedBytes = 512;
/**
 * What has no more room is added up where it is at least so many summands. Fewer are large ones, as busy tabs have them, which would be
 * added up again with every other Part: an object takes those for less.
 */
const leastSummands = 6;
/** An object whose page has no more than so many is kept encoded again. */
const maxReturningBytes = 256;

/**
 * The States that a process has in memory: small ones lie encoded side by side, where their Handlers can add up what is encoded; all others
 * are objects. Which of them it is makes no difference to what they hold.
 */
export class StateMemory {
  readonly #small = new SmallStates();
  /** A State on its way to a page. */
  readonly #page = new ByteWriter(2048);

  /** Memory that is set aside for encoded States and holds none, bytes. */
  get freeBytes(): number {
    return this.#small.freeBytes;
  }

  /** Gives back what of that can be; takes a while where much was dropped. */
  giveBack(): void {
    this.#small.giveBack();
  }

  /** For reading only, and a copy where it is kept encoded; undefined while it is not in memory. */
  stateOf(slot: Slot): unknown {
    return decodedState(slot.tabSlots.handler!, this.asKept(slot));
  }

  /** For reading only: the State, or an `EncodedState` that holds until this State is changed or dropped; undefined while it is not in memory. */
  asKept(slot: Slot): unknown {
    this.#sumUp(slot, slot.tabSlots.handler!);
    const { kept } = slot;
    return typeof kept === 'number' ? this.#small.only(kept) : kept;
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

  /** What a page holds. @param state the same, where it was decoded before @throws TabaError `corrupt` */
  keepPage(slot: Slot, handler: Handler, page: Uint8Array, state?: unknown): void {
    const encoded = encodedIn(handler, page, maxEncodedBytes);
    if (encoded === undefined) this.keep(slot, state ?? decodeState(handler, page));
    else this.#keepEncoded(slot, handler, encoded, 0, encoded.length);
  }

  /**
   * Adds an encoded State to one that is in memory, or begins with it.
   * @returns false, and has added nothing, where it has to be added to the object
   */
  add(slot: Slot, handler: Handler, encoded: EncodedState): boolean {
    const { kept } = slot;
    if (handler.sumEncoded === undefined || typeof kept === 'object') return false;
    if (this.#put(slot, encoded)) return true;
    if (kept === undefined || this.#small.read(kept).length < leastSummands) return false;
    // There is no room for one more. What it comes to may have.
    this.#sumUp(slot, handler);
    return typeof slot.kept === 'number' && this.#put(slot, encoded);
  }

  #put(slot: Slot, { bytes, start, end }: EncodedState): boolean {
    const { kept } = slot;
    let place: Place | undefined;
    if (typeof kept === 'number') place = this.#small.append(kept, bytes, start, end);
    else if (end - start <= maxEncodedBytes) place = this.#small.keep(bytes, start, end);
    if (place === undefined) return false;
    slot.kept = place;
    return true;
  }

  /**
   * Where a State is kept as several summands, makes one of them, or an object.
   * @returns whether it stands in `#page` now
   */
  #sumUp(slot: Slot, handler: Handler): boolean {
    if (typeof slot.kept !== 'number') return false;
    const summands = this.#small.read(slot.kept);
    if (summands.length === 1) return false;
    const page = this.#page;
    beginState(handler, page);
    if (!handler.sumEncoded!(summands, page)) {
      this.keep(slot, reduced(handler, this.#small.read(slot.kept)));
      return false;
    }
    this.#keepEncoded(slot, handler, page.peek(), headerBytes, page.length);
    return true;
  }

  /** @param start of what is encoded, within `bytes`, and `end` */
  #keepEncoded(slot: Slot, handler: Handler, bytes: Uint8Array, start: number, end: number): void {
    if (end - start > maxEncodedBytes) {
      this.keep(slot, handler.decode(new ByteReader(bytes, start, end)));
      return;
    }
    const { kept } = slot;
    if (typeof kept === 'number') slot.kept = this.#small.replace(kept, bytes, start, end);
    else slot.kept = this.#small.keep(bytes, start, end);
  }

  /** A State that is in memory, as a page. */
  pageOf(slot: Slot, handler: Handler): Uint8Array {
    const page = this.#page;
    if (this.#sumUp(slot, handler)) return sealState(page);
    const { kept } = slot;
    if (typeof kept === 'number') {
      beginState(handler, page);
      this.#small.read(kept)[0]!.copyRest(page);
      return sealState(page);
    }
    const bytes = encodeState(handler, kept);
    const encoded = encodedIn(handler, bytes, maxReturningBytes);
    if (encoded !== undefined) this.#keepEncoded(slot, handler, encoded, 0, encoded.length);
    return bytes;
  }

  drop(slot: Slot): void {
    if (typeof slot.kept === 'number') this.#small.release(slot.kept);
    slot.kept = undefined;
  }
}

/** What of a page of up to `maxBytes` may be kept as it is; undefined where it has to be an object. @throws TabaError `corrupt` */
function encodedIn(handler: Handler, page: Uint8Array, maxBytes: number): Uint8Array | undefined {
  if (handler.sumEncoded === undefined || page.length > maxBytes) return undefined;
  return examineState(handler, page);
}

function reduced(handler: Handler, [first, ...others]: readonly ByteReader[]): unknown {
  const state = handler.decode(first!);
  for (const input of others) {
    if (handler.reduceEncoded !== undefined) handler.reduceEncoded(state, input);
    else handler.reduce(state, handler.decode(input));
  }
  return state;
}
