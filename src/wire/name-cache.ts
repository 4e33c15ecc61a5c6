/** Two places for each hash: names that share one do not take turns. */
const places = 2 ** 16;
const maxCachedBytes = 128;

/**
 * Names that payloads repeat with every flush: found by their bytes, without making them again. What that saves is not the decoding
 * alone: the same name is the same string, whose hash Maps know already, and it was checked before.
 *
 * Bounded: of names that share their places, the last two are kept.
 */
export class NameCache {
  #names: (string | undefined)[] | undefined;

  /** The name with these bytes, if it is at hand. */
  find(bytes: Uint8Array, start: number, end: number): string | undefined {
    if (this.#names === undefined || end - start > maxCachedBytes) return undefined;
    const place = placeOf(bytes, start, end);
    const first = this.#names[place];
    if (first !== undefined && isSame(first, bytes, start, end)) return first;
    const second = this.#names[place ^ 1];
    return second !== undefined && isSame(second, bytes, start, end) ? second : undefined;
  }

  /** @param name of the bytes, all ASCII */
  keep(name: string, bytes: Uint8Array, start: number, end: number): void {
    if (end - start > maxCachedBytes) return;
    this.#names ??= new Array<string | undefined>(places).fill(undefined);
    const place = placeOf(bytes, start, end);
    this.#names[place ^ 1] = this.#names[place];
    this.#names[place] = name;
  }
}

/** By FNV-1a. */
function placeOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return (hash ^ (hash >>> 16)) & (places - 1);
}

function isSame(name: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  // Names differ at their ends rather than at their beginnings.
  for (let at = end - 1; at >= start; at--) if (name.charCodeAt(at - start) !== bytes[at]) return false;
  return true;
}
