/** 64 bits as two unsigned halves. */
export interface Hash64 {
  readonly high: number;
  readonly low: number;
}

const c1 = 0x239b961b;
const c2 = 0xab0e9789;
const c3 = 0x38b34ae5;
const c4 = 0xa1e38b93;

/**
 * The first 64 bits of MurmurHash3_x86_128 by Austin Appleby (https://github.com/aappleby/smhasher, public domain): the
 * first word of its result is `high`, the second `low`. Needs nothing but 32-bit arithmetic, which is what JavaScript has.
 * Sets of distinct values are kept by this hash, so it can never change; a test runs the reference's own verification.
 */
export function murmur3(bytes: Uint8Array, seed = 0): Hash64 {
  const [high, low] = murmur3Words(bytes, seed);
  return { high, low };
}

/** All four words of MurmurHash3_x86_128. */
export function murmur3Words(bytes: Uint8Array, seed: number): [number, number, number, number] {
  const length = bytes.length;
  let h1 = seed | 0;
  let h2 = h1;
  let h3 = h1;
  let h4 = h1;
  const tail = length & ~15;
  for (let at = 0; at < tail; at += 16) {
    h1 ^= mix(word(bytes, at), c1, 15, c2);
    h1 = (Math.imul((rotate(h1, 19) + h2) | 0, 5) + 0x561ccd1b) | 0;
    h2 ^= mix(word(bytes, at + 4), c2, 16, c3);
    h2 = (Math.imul((rotate(h2, 17) + h3) | 0, 5) + 0x0bcaa747) | 0;
    h3 ^= mix(word(bytes, at + 8), c3, 17, c4);
    h3 = (Math.imul((rotate(h3, 15) + h4) | 0, 5) + 0x96cd1c35) | 0;
    h4 ^= mix(word(bytes, at + 12), c4, 18, c1);
    h4 = (Math.imul((rotate(h4, 13) + h1) | 0, 5) + 0x32ac3b17) | 0;
  }
  // What is left of the last block counts as if zeros followed; a word of zeros changes nothing.
  h4 ^= mix(word(bytes, tail + 12), c4, 18, c1);
  h3 ^= mix(word(bytes, tail + 8), c3, 17, c4);
  h2 ^= mix(word(bytes, tail + 4), c2, 16, c3);
  h1 ^= mix(word(bytes, tail), c1, 15, c2);

  h1 ^= length;
  h2 ^= length;
  h3 ^= length;
  h4 ^= length;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = (h2 + h1) | 0;
  h3 = (h3 + h1) | 0;
  h4 = (h4 + h1) | 0;
  h1 = finish(h1);
  h2 = finish(h2);
  h3 = finish(h3);
  h4 = finish(h4);
  h1 = (h1 + h2 + h3 + h4) | 0;
  return [h1 >>> 0, (h2 + h1) >>> 0, (h3 + h1) >>> 0, (h4 + h1) >>> 0];
}

/** Four bytes, little-endian; bytes beyond the end are 0. */
function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  );
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function mix(input: number, before: number, bits: number, after: number): number {
  return Math.imul(rotate(Math.imul(input, before), bits), after);
}

function finish(hash: number): number {
  let value = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}
