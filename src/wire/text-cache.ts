import { hashSeed, mixed } from './statsd/series-hash.js';

const places = 2 ** 14;
/** Longer texts are decoded each time. */
const maxWords = 16;
const wordBytes = 4;

/**
 * Texts that come again and again, such as names: made of their bytes once, and afterwards found by them. What makes it fast
 * is not so much the decoding that is saved as that the same text is the same string, which Maps know at a glance.
 *
 * Bounded: each text has one place, and what comes later takes it. Bytes are read four at a time, the last four of a text
 * even if some of them were read before.
 */
export class TextCache {
  readonly #texts: string[] = new Array<string>(places).fill('');
  /** The bytes of the text at each place: how many, and which. */
  readonly #lengths = new Uint8Array(places);
  readonly #words = new Int32Array(places * maxWords);

  /** Bytes of UTF-8 from `start` to `end` as text; what is no UTF-8 becomes U+FFFD. @param view of `bytes` */
  textOf(bytes: Uint8Array, view: DataView, start: number, end: number): string {
    const length = end - start;
    if (length < wordBytes || length > maxWords * wordBytes) return decoded(bytes, start, end);
    const lastWord = end - wordBytes;
    let hash = hashSeed;
    for (let at = start; at < lastWord; at += wordBytes) hash = mixed(hash, view.getInt32(at));
    hash = mixed(hash, view.getInt32(lastWord));
    const place = hash & (places - 1);
    if (this.#lengths[place] === length && this.#isAt(place, view, start, lastWord))
      return this.#texts[place]!;
    return this.#learn(place, bytes, view, start, end);
  }

  #isAt(place: number, view: DataView, start: number, lastWord: number): boolean {
    const words = this.#words;
    let word = place * maxWords;
    for (let at = start; at < lastWord; at += wordBytes)
      if (view.getInt32(at) !== words[word++]) return false;
    return view.getInt32(lastWord) === words[word];
  }

  #learn(place: number, bytes: Uint8Array, view: DataView, start: number, end: number): string {
    const lastWord = end - wordBytes;
    let word = place * maxWords;
    for (let at = start; at < lastWord; at += wordBytes) this.#words[word++] = view.getInt32(at);
    this.#words[word] = view.getInt32(lastWord);
    this.#lengths[place] = end - start;
    const text = decoded(bytes, start, end);
    this.#texts[place] = text;
    return text;
  }
}

const textDecoder = new TextDecoder();

function decoded(bytes: Uint8Array, start: number, end: number): string {
  return textDecoder.decode(bytes.subarray(start, end));
}
