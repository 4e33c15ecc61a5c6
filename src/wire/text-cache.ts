import { hashSeed, mixed } from './statsd/series-hash.js';
import { SeriesIndex } from './statsd/series-index.js';

const maxTexts = 2 ** 17;
/** Longer texts are decoded each time. */
const maxCachedBytes = 128;
const wordBytes = 4;
const noTags = 0;
const onlyKind = 0;
const textDecoder = new TextDecoder();

/**
 * Texts that come again and again, such as names: made of their bytes once, and afterwards found by them. What makes it fast
 * is not so much the decoding that is saved as that the same text is the same string, which Maps know at a glance.
 *
 * Bounded: with as many different ones as there is room for, all are forgotten.
 */
export class TextCache {
  readonly #index = new SeriesIndex({ maxSeries: maxTexts, maxKeyBytes: maxTexts * maxCachedBytes });
  /** By their numbers, so that those that come one after the other lie one beside the other. */
  readonly #texts: string[] = [];

  /** Bytes of UTF-8 from `start` to `end` as text; what is no UTF-8 becomes U+FFFD. @param view of `bytes` */
  textOf(bytes: Uint8Array, view: DataView, start: number, end: number): string {
    // Its last bytes are read as a whole word.
    if (end - start > maxCachedBytes || end + wordBytes > bytes.length) return decoded(bytes, start, end);
    const lastWhole = end - wordBytes;
    let hash = hashSeed;
    let at = start;
    for (; at <= lastWhole; at += wordBytes) hash = mixed(hash, view.getInt32(at, true));
    const rest = end - at;
    if (rest > 0) hash = mixed(hash, view.getInt32(at, true) & (0x7fffffff >>> (31 - rest * 8)));
    const known = this.#index.find(hash, onlyKind, bytes, view, start, end, noTags, noTags);
    return known < 0 ? this.#learn(hash, bytes, start, end) : this.#texts[known]!;
  }

  #learn(hash: number, bytes: Uint8Array, start: number, end: number): string {
    if (this.#index.isFull) {
      this.#index.clear();
      this.#texts.length = 0;
    }
    const text = decoded(bytes, start, end);
    this.#texts[this.#index.add(hash, onlyKind, bytes, start, end, noTags, noTags)] = text;
    return text;
  }
}

function decoded(bytes: Uint8Array, start: number, end: number): string {
  return textDecoder.decode(bytes.subarray(start, end));
}
