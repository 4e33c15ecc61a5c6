import type { ByteReader, ByteWriter } from '../bytes.js';
import { TabaError } from '../errors.js';
import { Bins, maxBinsPerSign, noBins } from './bins.js';

/**
 * Bins as bytes: the number of runs of neighbours in use, and per run: the gap to the previous run's end (signed from 0 for the
 * first), its length, its counts.
 */
export function encodeBins(bins: Bins, out: ByteWriter): void {
  if (bins.used === 0) {
    out.varint(0);
    return;
  }
  const [keys, counts] = [listedKeys, listedCounts];
  const length = bins.copyTo(keys, counts);
  let runs = 1;
  for (let slot = 1; slot < length; slot++) if (keys[slot] !== keys[slot - 1]! + 1) runs++;
  out.varint(runs);
  let start = 0;
  for (let run = 0; run < runs; run++) {
    let next = start + 1;
    while (next < length && keys[next] === keys[next - 1]! + 1) next++;
    if (run === 0) out.signedVarint(keys[start]!);
    else out.varint(keys[start]! - keys[start - 1]! - 1);
    out.varint(next - start);
    for (let slot = start; slot < next; slot++) out.count(counts[slot]!);
    start = next;
  }
}

/** The same for bins from `first` on, whose counts are `counts[from]` to before `counts[to]`; at least one is above 0. */
export function encodeCounts(
  first: number,
  counts: Uint8Array,
  from: number,
  to: number,
  out: ByteWriter,
): void {
  // Without branches: which counts are 0 is as good as random.
  let runs = 0;
  let before = 0;
  for (let at = from; at < to; at++) {
    const isUsed = (counts[at]! + 255) >> 8;
    runs += isUsed & (before ^ 1);
    before = isUsed;
  }
  out.varint(runs);
  let end = from;
  for (let run = 0; run < runs; run++) {
    let start = end;
    while (counts[start] === 0) start++;
    if (run === 0) out.signedVarint(first + start - from);
    else out.varint(start - end);
    end = start + 1;
    while (end < to && counts[end] !== 0) end++;
    out.varint(end - start);
    out.byteCounts(counts, start, end);
  }
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
  return used === 0 ? noBins : Bins.ofList(listedKeys, listedCounts, used);
}

/**
 * Adds bins as they are read to others; their indices lose their lower `shift` bits, as in `Bins.merge`.
 * @returns the sum: `bins` itself unless nothing was in it
 * @throws TabaError `corrupt`
 */
export function addDecodedBins(bins: Bins, shift: number, input: ByteReader): Bins {
  const used = readBins(input);
  if (used === 0) return bins;
  if (bins.used === 0 && shift === 0) return Bins.ofList(listedKeys, listedCounts, used);
  const sum = bins === noBins ? new Bins() : bins;
  sum.addList(listedKeys, listedCounts, used, shift);
  return sum;
}

/** Reads bins and makes nothing of them. @throws TabaError `corrupt`, where `decodeBins` would */
export function examineBins(input: ByteReader): void {
  readBins(input);
}

/** @returns how many are in `listedKeys` and `listedCounts` now */
function readBins(input: ByteReader): number {
  let key = 0;
  let used = 0;
  for (let runs = input.varint(), run = 0; run < runs; run++) {
    key += run === 0 ? input.signedVarint() : input.varint();
    const length = input.varint();
    const end = used + length;
    if (end > listedKeys.length)
      throw new TabaError('corrupt', `more than ${maxBinsPerSign} bins of one sign`);
    if (length > 0 && (key < -largestKey || key + length - 1 > largestKey)) {
      throw new TabaError('corrupt', `${length} bins from ${key} on`);
    }
    input.counts(listedCounts, used, end);
    for (; used < end; used++) {
      if (!(listedCounts[used]! > 0))
        throw new TabaError('corrupt', `bin ${key} holds ${listedCounts[used]}`);
      listedKeys[used] = key++;
    }
  }
  return used;
}

/** Far beyond every double at the finest scale. */
const largestKey = 2 ** 20;
/** Shared by all calls: bins lie here between their bytes and their layout. One more than there may be while a bin is being added. */
const listedKeys = new Int32Array(maxBinsPerSign + 1);
const listedCounts = new Float64Array(maxBinsPerSign + 1);
