import type { ByteReader, ByteWriter } from '../bytes.js';
import { TabaError } from '../errors.js';
import { finestScale } from './scale.js';

/** Everything of a histogram but its bins, see `Histogram`. */
export interface HistogramFigures {
  scale: number;
  count: number;
  total: number;
  min: number;
  max: number;
  zeros: number;
  coarseCount: number;
  coarseRatio: number;
}

/** Of an empty histogram. */
export function noFigures(): HistogramFigures {
  return {
    ...{
      scale: finestScale,
      count: 0,
      total: 0,
      min: Number.POSITIVE_INFINITY,
      max: Number.NEGATIVE_INFINITY,
    },
    ...{ zeros: 0, coarseCount: 0, coarseRatio: 1 },
  };
}

/** Of the same scale, or after the finer bins were joined. */
export function addFigures(into: HistogramFigures, from: HistogramFigures): void {
  into.count += from.count;
  into.total += from.total;
  into.zeros += from.zeros;
  if (from.min < into.min) into.min = from.min;
  if (from.max > into.max) into.max = from.max;
  into.coarseCount += from.coarseCount;
  into.coarseRatio = Math.max(into.coarseRatio, from.coarseRatio);
}

/** Of a histogram that is not empty. Positive and negative bins are to follow. */
export function encodeFigures(figures: HistogramFigures, out: ByteWriter): void {
  out.count(figures.count);
  out.number(figures.total);
  out.number(figures.min);
  out.number(figures.max);
  out.u8(figures.scale);
  out.count(figures.zeros);
  out.count(figures.coarseCount);
  if (figures.coarseCount > 0) out.f64(figures.coarseRatio);
}

/** @returns false, and has set nothing but the count, where it is 0: then nothing follows */
export function decodeFigures(into: HistogramFigures, input: ByteReader): boolean {
  into.count = input.count();
  if (into.count === 0) return false;
  into.total = input.number();
  into.min = input.number();
  into.max = input.number();
  into.scale = checkScale(input.u8());
  into.zeros = input.count();
  into.coarseCount = input.count();
  into.coarseRatio = into.coarseCount > 0 ? input.f64() : 1;
  return true;
}

/** @returns the count @throws TabaError `corrupt`, where `decodeFigures` would */
export function examineFigures(input: ByteReader): number {
  const count = input.count();
  if (count === 0) return 0;
  input.skipNumber();
  input.skipNumber();
  input.skipNumber();
  checkScale(input.u8());
  input.count();
  if (input.count() > 0) input.f64();
  return count;
}

/** @throws TabaError `corrupt` */
function checkScale(scale: number): number {
  if (scale > finestScale) throw new TabaError('corrupt', `a histogram of scale ${scale}`);
  return scale;
}
