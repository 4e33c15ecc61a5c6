import { ByteReader, type ByteWriter } from '../bytes.js';
import { sumBins } from './bins-codec.js';
import { addFigures, decodeFigures, encodeFigures, noFigures } from './figures-codec.js';

/**
 * Adds two encoded histograms up, and writes the sum: what `encode` would write of both merged, without making one.
 * @returns false, and what it has written means nothing, where bins would have to be joined for it
 * @throws TabaError `corrupt`, where `Histogram.decode` would
 */
export function sumHistograms(left: ByteReader, right: ByteReader, out: ByteWriter): boolean {
  const hasLeft = decodeFigures(readFigures, left);
  const hasRight = decodeFigures(otherFigures, right);
  if (!hasLeft && !hasRight) {
    out.count(0);
    return true;
  }
  if (hasLeft && hasRight) {
    if (readFigures.scale !== otherFigures.scale) return false;
    addFigures(readFigures, otherFigures);
  }
  encodeFigures(hasLeft ? readFigures : otherFigures, out);
  // Of an empty one there are no bins to read.
  const none = noBinsInput.restart(noBinsOfEitherSign, 0, noBinsOfEitherSign.length);
  const leftBins = hasLeft ? left : none;
  const rightBins = hasRight ? right : none;
  return sumBins(leftBins, rightBins, out) && sumBins(leftBins, rightBins, out);
}

const noBinsOfEitherSign = new Uint8Array(2);
const noBinsInput = new ByteReader(noBinsOfEitherSign);

/** Shared by all calls. */
const readFigures = noFigures();
const otherFigures = noFigures();
