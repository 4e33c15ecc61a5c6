import type { ByteReader } from '../bytes.js';

/** The latest of the seconds that come next in each of the inputs. */
export function readNewest(inputs: readonly ByteReader[]): number {
  let newest = Number.NEGATIVE_INFINITY;
  for (const input of inputs) newest = Math.max(newest, input.signedVarint());
  return newest;
}
