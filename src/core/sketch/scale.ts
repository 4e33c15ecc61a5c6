import { boundaries } from './boundaries.js';

/**
 * Which bucket of a base-2 exponential histogram holds a value. At scale s, bucket i holds (2^(i/2^s), 2^((i+1)/2^s)]:
 * the boundaries of OpenTelemetry's exponential and of Prometheus' native histograms.
 *
 * The index comes from the bits of the value and from a table of boundaries, never from a logarithm, so that it is right
 * at every boundary and next to it (OTEP 149 tells what goes wrong otherwise). Coarser scales halve the index.
 */
export const finestScale = 7;
const perOctave = 2 ** finestScale;

/**
 * For the upper 9 bits of a mantissa, the bucket within the octave of the smallest such value (-1 for exactly 1, which
 * belongs to the octave below). A slot is 1/512 wide and the narrowest bucket 1/184, so at most one step is left to do.
 */
const slotBits = 9;
const firstGuess = Int16Array.from({ length: 2 ** slotBits }, (_, slot) => {
  const mantissa = 1 + slot / 2 ** slotBits;
  let bucket = -1;
  while (boundaries[bucket + 1]! < mantissa) bucket++;
  return bucket;
});

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
double[0] = 1;
const high = words[1] === 0x3ff00000 ? 1 : 0;
const low = 1 - high;

/** The mantissas of the boundaries as their upper 20 and lower 32 bits; the last one, 2, is above every mantissa. */
const upperBits = new Uint32Array(perOctave + 1);
const lowerBits = new Uint32Array(perOctave + 1);
for (let k = 0; k < perOctave; k++) {
  double[0] = boundaries[k]!;
  upperBits[k] = words[high]! & 0xfffff;
  lowerBits[k] = words[low]!;
}
upperBits[perOctave] = 0x100000;

/** @param value finite and above 0 @returns its bucket's index at the finest scale, -137,473 to 131,071 */
export function bucketIndex(value: number): number {
  double[0] = value;
  let top = words[high]!;
  let exponent = (top >>> 20) - 1023;
  if (exponent === -1023) {
    // A subnormal number: 2^64 makes it a normal one.
    double[0] = value * 2 ** 64;
    top = words[high]!;
    exponent = (top >>> 20) - 1023 - 64;
  }
  const upper = top & 0xfffff;
  let bucket = firstGuess[upper >>> (20 - slotBits)]!;
  const next = upperBits[bucket + 1]!;
  if (upper > next || (upper === next && words[low]! > lowerBits[bucket + 1]!)) bucket++;
  return exponent * perOctave + bucket;
}

/** Added to an index, so that every key of a positive value is above 0. */
const keyOffset = 2 ** 18;

/**
 * The bucket of any finite value at the finest scale as one number: 0 for zero, and the buckets of positive values above,
 * those of negative ones below it, with the sign alone between a value and its opposite.
 */
export function bucketKey(value: number): number {
  if (value > 0) return bucketIndex(value) + keyOffset;
  return value < 0 ? -(bucketIndex(-value) + keyOffset) : 0;
}

/** The index of `bucketKey`'s bucket among those of its sign; means nothing for key 0. */
export function indexOfKey(key: number): number {
  return Math.abs(key) - keyOffset;
}

/** The lower boundary of bucket `index` at `scale`, which is the upper one of the bucket before it. */
export function lowerBoundary(index: number, scale: number): number {
  const fine = scale === finestScale ? index : index * 2 ** (finestScale - scale);
  const octave = Math.floor(fine / perOctave);
  const mantissa = boundaries[fine - octave * perOctave]!;
  // 2^octave alone may lie outside of the doubles where the product does not.
  if (octave >= 1024) return Number.POSITIVE_INFINITY;
  // Wide buckets reach below them, too, and further than exponents do.
  if (octave < -1075) return 0;
  return octave < -1000 ? mantissa * powerOfTwo(octave + 100) * 2 ** -100 : mantissa * powerOfTwo(octave);
}

/** The upper boundary of bucket `index` at `scale`, as far as doubles go. */
export function upperBoundary(index: number, scale: number): number {
  return Math.min(lowerBoundary(index + 1, scale), Number.MAX_VALUE);
}

/** By its bits: several times as fast as a power. @param exponent from -1022 to 1023 */
function powerOfTwo(exponent: number): number {
  words[high] = (exponent + 1023) << 20;
  words[low] = 0;
  return double[0]!;
}
