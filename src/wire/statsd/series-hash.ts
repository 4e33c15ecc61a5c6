/** Hashes the bytes of a series' key, four at a time: neither cryptographic nor kept anywhere. */
export const hashSeed = 0x811c9dc5 | 0;

/** Takes the next four bytes in. */
export function mixed(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

/** Takes the bytes of tags in; what was taken before must not run into them. */
export function hashOfTags(hash: number, bytes: Uint8Array, start: number, end: number): number {
  let next = mixed(hash, end - start);
  for (let at = start; at < end; at++) next = Math.imul(next ^ bytes[at]!, 0x01000193);
  return mixed(next, 0);
}
