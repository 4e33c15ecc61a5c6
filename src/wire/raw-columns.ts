/**
 * Events that nobody has folded, as the columns of a `push-raw` frame. Each is binary; its numbers are little-endian and stand side by
 * side, so that a sender hands over its arrays as they lie in memory.
 *
 *     tabs      u32…   per group: which tab, by an id that a `define-tabs` of the same connection gave it
 *     counts    u32…   per group: how many events it has, 0 or more
 *     seconds   f64…   seconds UTC: one for each group; or a single one, for all; or none: the present of whoever receives it
 *     values    f64…   the events: first those of the first group, then those of the second, and so on
 *
 * A group is a run of one tab and one time; the same tab may have several. Only the second counts, what is behind the point does
 * not. Groups of a hundred events cost 8.2 bytes an event, groups of one 16 to 24.
 *
 * The columns have to fit each other: as many counts as tabs, as many values as the counts add up to. Where they do not, nothing in
 * the frame can be told from anything else: it is `corrupt` as a whole, its number is used up, and the connection goes on.
 * Whatever is wrong with one tab, time or value is a fault of its own events alone. What a frame may hold is bounded by its
 * size; nothing is allocated for a number that the bytes at hand do not hold.
 */
import { TabaError } from '../core/errors.js';
import type { PushRaw } from './frame.js';

export interface RawColumns {
  readonly tabs: Uint32Array;
  readonly counts: Uint32Array;
  readonly seconds: Float64Array;
  readonly values: Float64Array;
}

/** How many events the frame says it has, also where it says nothing else that is of use. */
export function claimedEvents({ values }: Pick<PushRaw, 'values'>): number {
  return Math.floor(values.length / 8);
}

/**
 * @returns columns that may share their memory with the frame
 * @throws TabaError `corrupt`
 */
export function readRawColumns(frame: Pick<PushRaw, keyof RawColumns>): RawColumns {
  const tabs = uint32s('tabs', frame.tabs);
  const counts = uint32s('counts', frame.counts);
  const seconds = float64s('seconds', frame.seconds);
  const values = float64s('values', frame.values);
  if (counts.length !== tabs.length)
    throw corrupt(`${counts.length} counts for the tabs of ${tabs.length} groups`);
  if (seconds.length > 1 && seconds.length !== tabs.length) {
    throw corrupt(`${seconds.length} seconds for ${tabs.length} groups: it takes none, one or one each`);
  }
  let events = 0;
  for (const count of counts) events += count;
  if (events !== values.length) throw corrupt(`${values.length} values where the counts add up to ${events}`);
  return { tabs, counts, seconds, values };
}

/** @param seconds as in the column of that name */
export function writeRawColumns({
  tabs,
  counts,
  seconds,
  values,
}: RawColumns): Pick<PushRaw, keyof RawColumns> {
  return {
    tabs: littleEndian(tabs),
    counts: littleEndian(counts),
    seconds: littleEndian(seconds),
    values: littleEndian(values),
  };
}

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function uint32s(column: string, bytes: Uint8Array): Uint32Array {
  const { buffer, byteOffset, length } = wholeNumbers(column, bytes, 4);
  return new Uint32Array(buffer, byteOffset, length / 4);
}

function float64s(column: string, bytes: Uint8Array): Float64Array {
  const { buffer, byteOffset, length } = wholeNumbers(column, bytes, 8);
  return new Float64Array(buffer, byteOffset, length / 8);
}

/** The bytes, or a copy of them, where numbers of this width may lie, in the order of this machine. */
function wholeNumbers(column: string, bytes: Uint8Array, width: 4 | 8): Uint8Array {
  if (bytes.length % width !== 0) {
    throw corrupt(`${bytes.length} bytes of ${column}, which are ${width} bytes wide`);
  }
  if (isLittleEndian && bytes.byteOffset % width === 0) return bytes;
  const copy = new Uint8Array(bytes);
  return isLittleEndian ? copy : swapped(copy, width);
}

function littleEndian(column: Uint32Array | Float64Array): Uint8Array {
  const bytes = new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
  return isLittleEndian ? bytes : swapped(new Uint8Array(bytes), column instanceof Uint32Array ? 4 : 8);
}

/** In place. */
function swapped(bytes: Uint8Array, width: 4 | 8): Uint8Array {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (width === 4) buffer.swap32();
  else buffer.swap64();
  return bytes;
}

function corrupt(message: string): TabaError {
  return new TabaError('corrupt', `raw columns do not fit: ${message}`);
}
