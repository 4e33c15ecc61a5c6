const places = 2 ** 14;
const maxCachedBytes = 128;
const firstAscii = 0x20;
const lastAscii = 0x7e;
const textDecoder = new TextDecoder();

/**
 * Texts that come again and again, such as names: made of their bytes once, and afterwards found by them. What makes it fast
 * is not so much the decoding that is saved as that the same text is the same string, which Maps know at a glance.
 *
 * Bounded: each text has one place, and what comes later takes it.
 */
export class TextCache {
  readonly #texts: string[] = new Array<string>(places).fill('');

  /** Bytes of UTF-8 from `start` to `end` as text; what is no UTF-8 becomes U+FFFD. */
  textOf(bytes: Uint8Array, start: number, end: number): string {
    if (end - start > maxCachedBytes) return decoded(bytes, start, end);
    // FNV-1a.
    let hash = 0x811c9dc5;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
    const place = (hash ^ (hash >>> 15)) & (places - 1);
    const known = this.#texts[place]!;
    if (isSame(known, bytes, start, end)) return known;
    const text = decoded(bytes, start, end);
    if (isAscii(bytes, start, end)) this.#texts[place] = text;
    return text;
  }
}

function isSame(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let at = start; at < end; at++) if (text.charCodeAt(at - start) !== bytes[at]) return false;
  return true;
}

/** Printable, so that a text has as many characters as bytes and is not changed by decoding. */
function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at]! < firstAscii || bytes[at]! > lastAscii) return false;
  return true;
}

function decoded(bytes: Uint8Array, start: number, end: number): string {
  return textDecoder.decode(bytes.subarray(start, end));
}
