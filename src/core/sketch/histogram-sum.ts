import type { ByteReader, ByteWriter } from '../bytes.js';
import { sumBins } from './bins-codec.js';
import { addFigures, decodeFigures, encodeFigures, noFigures } from './figures-codec.js';

/**
 * Adds encoded histograms up, and writes the sum: what `encode` would write of all merged, without making one.
 * @returns false, and what it has written means nothing, where bins would have to be joined for it
 * @throws TabaError `corrupt`, where `Histogram.decode` would
 */
export function sumHistograms(inputs: readonly ByteReader[], out: ByteWriter): boolean {
  let used = 0;
  for (const input of inputs) {
    // Of an empty one there are no bins to read.
    if (!decodeFigures(used === 0 ? sum : summand, input)) continue;
    if (used > 0) {
      if (sum.scale !== summand.scale) return false;
      addFigures(sum, summand);
    }
    withBins[used++] = input;
  }
  if (used === 0) {
    out.count(0);
    return true;
  }
  // Never to none: V8 would give up the memory of the list, and take new one the next time.
  withBins.length = used;
  encodeFigures(sum, out);
  return sumBins(withBins, out) && sumBins(withBins, out);
}

/** Shared by all calls. */
const withBins: ByteReader[] = [];
const sum = noFigures();
const summand = noFigures();
