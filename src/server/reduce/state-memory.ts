import { ByteReader, ByteWriter } from '../../core/bytes.js';
import type { EncodedState } from '../../core/handlers/encoded-state.js';
import type { Handler } from '../../core/handlers/handler.js';
import { decodeState, encodeState, examineState, sealState } from '../../wire/state.js';
import type { Slot } from './slot.js';
import { type Place, SmallStates } from './small-states.js';

/** States of up to so many encoded bytes stay encoded: there has to be room for several Parts beside them. */
const maxEncodedBytes = 512;
/** An object whose page has no more than so many is kept encoded again. */
const maxReturningBytes = 256;

/**
 * The States that a process has in memory: small ones lie encoded side by side, where their Handlers can add up what is encoded; all others
 * are objects. Which of them it is makes no difference to what they hold.
 */
export class StateMemory {
  readonly #small = new SmallStates();
  readonly #sum = new ByteWriter(2048);

  /** Memory that is set aside for encoded States and holds none, bytes. */
  get freeBytes(): number {
    return this.#small.freeBytes;
  }

  /** For reading only, and a copy where it is kept encoded; undefined while it is not in memory. */
  stateOf(slot: Slot): unknown {
    const handler = slot.tabSlots.handler!;
    this.#sumUp(slot, handler);
    const { kept } = slot;
    return typeof kept === 'number' ? handler.decode(this.#small.read(kept)[0]!) : kept;
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
    else this.#keepEncoded(slot, handler, encoded);
  }

  /**
   * Adds an encoded State to one that is in memory, or begins with it.
   * @returns false, and has added nothing, where it has to be added to the object
   */
  add(slot: Slot, handler: Handler, encoded: EncodedState): boolean {
    const { kept } = slot;
    if (handler.sumEncoded === undefined || typeof kept === 'object') return false;
    if (this.#put(slot, encoded)) return true;
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

  /** Where a State is kept as several summands, makes one of them, or an object. */
  #sumUp(slot: Slot, handler: Handler): void {
    if (typeof slot.kept !== 'number') return;
    const summands = this.#small.read(slot.kept);
    if (summands.length === 1) return;
    const sum = this.#sum;
    sum.clear();
    if (handler.sumEncoded!(summands, sum)) this.#keepEncoded(slot, handler, sum.peek());
    else this.keep(slot, reduced(handler, this.#small.read(slot.kept)));
  }

  #keepEncoded(slot: Slot, handler: Handler, encoded: Uint8Array): void {
    if (encoded.length > maxEncodedBytes) {
      this.keep(slot, handler.decode(new ByteReader(encoded)));
      return;
    }
    const { kept } = slot;
    const { length } = encoded;
    if (typeof kept === 'number') slot.kept = this.#small.replace(kept, encoded, 0, length);
    else slot.kept = this.#small.keep(encoded, 0, length);
  }

  /** A State that is in memory, as a page. */
  pageOf(slot: Slot, handler: Handler): Uint8Array {
    this.#sumUp(slot, handler);
    const { kept } = slot;
    if (typeof kept === 'number') return sealState(handler, this.#small.read(kept)[0]!);
    const page = encodeState(handler, kept);
    const encoded = encodedIn(handler, page, maxReturningBytes);
    if (encoded !== undefined) this.#keepEncoded(slot, handler, encoded);
    return page;
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
