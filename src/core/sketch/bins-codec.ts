import type { ByteReader, ByteWriter } from '../bytes.js';
import { TabaError } from '../errors.js';
import { BinList } from './bin-list.js';
import { Bins, maxBinsPerSign, noBins } from './bins.js';

/**
 * Bins as bytes: the number of runs of neighbours in use, and per run: the gap to the previous run's end (signed from 0 for the
 * first), its length, its counts.
 */
export function encodeBins(bins: Bins, out: ByteWriter): void {
  const { keys, counts } = listed;
  if (bins.used === 0) out.varint(0);
  else encodeList(keys, counts, bins.copyTo(keys, counts), out);
}

/** The same for a list of bins, the first `length` entries of each array, ascending; there is at least one. */
export function encodeList(keys: Int32Array, counts: Float64Array, length: number, out: ByteWriter): void {
  // Without branches: where runs end is as good as random.
  let runs = 0;
  for (let slot = 0; slot < length - 1; slot++) {
    runEnds[runs] = slot + 1;
    runs += keys[slot + 1]! - keys[slot]! === 1 ? 0 : 1;
  }
  runEnds[runs++] = length;
  out.varint(runs);
  out.signedVarint(keys[0]!);
  const bytes = encoded;
  let at = 0;
  let slot = 0;
  for (let run = 0; run < runs; run++) {
    const end = runEnds[run]!;
    if (run > 0) at = putVarint(bytes, at, keys[slot]! - keys[slot - 1]! - 1);
    at = putVarint(bytes, at, end - slot);
    for (; slot < end; slot++) {
      const count = counts[slot]!;
      // As `ByteWriter.count` has it: most are small.
      if (count < 64 && Number.isInteger(count)) {
        bytes[at++] = count * 2;
      } else {
        out.raw(bytes, 0, at);
        at = 0;
        out.count(count);
      }
    }
  }
  out.raw(bytes, 0, at);
}

/** @param value an integer, 0 to 2^28 - 1 */
function putVarint(bytes: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 128; rest >>>= 7) bytes[at++] = (rest & 127) | 128;
  bytes[at++] = rest;
  return at;
}

/** The same for bins from `first` on, whose counts are `counts[from]` to before `counts[to]`; at least one is above 0. */
export function encodeCounts(
  first: number,
  counts: Uint8Array,
  from: number,
  to: number,
  out: ByteWriter,
): void {
  const { keys: usedKeys, counts: usedCounts } = listed;
  // Without branches, again.
  let used = 0;
  for (let at = from; at < to; at++) {
    const count = counts[at]!;
    usedKeys[used] = first + at - from;
    usedCounts[used] = count;
    used += (count + 255) >> 8;
  }
  encodeList(usedKeys, usedCounts, used, out);
}

/** The same for a single bin. */
export function encodeBin(key: number, count: number, out: ByteWriter): void {
  out.varint(1);
  out.signedVarint(key);
  out.varint(1);
  out.count(count);
}

/** @throws TabaError `corrupt` */
export function decodeBins(input: ByteReader): Bins {
  const used = readBins(input);
  return used === 0 ? noBins : Bins.ofList(listed.keys, listed.counts, used);
}

/**
 * Adds bins as they are read to others; their indices lose their lower `shift` bits, as in `Bins.merge`.
 * @returns the sum: `bins` itself unless nothing was in it
 * @throws TabaError `corrupt`
 */
export function addDecodedBins(bins: Bins, shift: number, input: ByteReader): Bins {
  const used = readBins(input);
  if (used === 0) return bins;
  const { keys, counts } = listed;
  if (bins.used === 0 && shift === 0) return Bins.ofList(keys, counts, used);
  const sum = bins === noBins ? new Bins() : bins;
  sum.addList(keys, counts, used, shift);
  return sum;
}

/** Reads bins and makes nothing of them. @throws TabaError `corrupt`, where `decodeBins` would */
export function examineBins(input: ByteReader): void {
  readBins(input);
}

/**
 * Adds bins up as they are read, those of each input, and writes the sum.
 * @returns false, and has written nothing, where they are too many for one sign
 * @throws TabaError `corrupt`
 */
export function sumBins(inputs: readonly ByteReader[], out: ByteWriter): boolean {
  let used = 0;
  for (const input of inputs) {
    const more = readBins(input);
    used = used === 0 ? takeListed(more) : addListed(used, more);
    if (used > maxBinsPerSign) return false;
  }
  if (used === 0) out.varint(0);
  else encodeList(sum.keys, sum.counts, used, out);
  return true;
}

/** A list of bins under way to a sum. Two lists may be full before they are one. */
function roomForSum(): { readonly keys: Int32Array; readonly counts: Float64Array } {
  const room = 2 * (maxBinsPerSign + 1);
  return { keys: new Int32Array(room), counts: new Float64Array(room) };
}

let sum = roomForSum();
let nextSum = roomForSum();

/** The sum is what was just read: that many bins. */
function takeListed(length: number): number {
  const { keys: readKeys, counts: readCounts } = listed;
  for (let slot = 0; slot < length; slot++) {
    sum.keys[slot] = readKeys[slot]!;
    sum.counts[slot] = readCounts[slot]!;
  }
  return length;
}

/** Adds what was just read to a sum of `used` bins. @returns how many it has then */
function addListed(used: number, length: number): number {
  if (length === 0) return used;
  const { keys, counts } = sum;
  const { keys: readKeys, counts: readCounts } = listed;
  const into = nextSum;
  let end = 0;
  let at = 0;
  for (let slot = 0; slot < length; slot++) {
    const key = readKeys[slot]!;
    for (; at < used && keys[at]! < key; at++, end++) {
      into.keys[end] = keys[at]!;
      into.counts[end] = counts[at]!;
    }
    into.keys[end] = key;
    into.counts[end++] =
      at < used && keys[at] === key ? counts[at++]! + readCounts[slot]! : readCounts[slot]!;
  }
  for (; at < used; at++, end++) {
    into.keys[end] = keys[at]!;
    into.counts[end] = counts[at]!;
  }
  nextSum = sum;
  sum = into;
  return end;
}

/** Reads bins into a list. @returns how many these are @throws TabaError `corrupt` */
export function readBins(input: ByteReader, into = listed): number {
  const { keys, counts } = into;
  let key = 0;
  let used = 0;
  for (let runs = input.varint(), run = 0; run < runs; run++) {
    key += run === 0 ? input.signedVarint() : input.varint();
    const length = input.varint();
    const end = used + length;
    if (end > keys.length) throw new TabaError('corrupt', `more than ${maxBinsPerSign} bins of one sign`);
    if (length > 0 && (key < -largestKey || key + length - 1 > largestKey)) {
      throw new TabaError('corrupt', `${length} bins from ${key} on`);
    }
    input.counts(counts, used, end);
    for (; used < end; used++) {
      if (!(counts[used]! > 0)) throw new TabaError('corrupt', `bin ${key} holds ${counts[used]}`);
      keys[used] = key++;
    }
  }
  into.length = used;
  return used;
}

/** Far beyond every double at the finest scale. */
const largestKey = 2 ** 20;
/** Shared by all calls: bins lie here between their bytes and their layout. */
const listed = new BinList();
/** Where runs end in a list, and the bytes of one, at most: three varints of four bytes and less for each bin. */
const runEnds = new Int32Array(maxBinsPerSign + 1);
const encoded = new Uint8Array(16 * (maxBinsPerSign + 1));
