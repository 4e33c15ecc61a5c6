import { tooLarge } from './result.js';

/** Characters that become bytes in one step. */
const pieceLength = 64 * 1024;

/** The body of an answer while it is written: what is made of it so far is bytes already, and never copied as one text. */
export class AnswerBody {
  readonly #maxBytes: number;
  readonly #pieces: Uint8Array[] = [];
  #text = '';
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @param text whose characters are bytes, or nearly so @throws TabaError `result_too_large` */
  add(text: string): void {
    this.#length += text.length;
    if (this.#length > this.#maxBytes) throw tooLarge(this.#maxBytes);
    this.#text += text;
    if (this.#text.length >= pieceLength) this.#cut();
  }

  #cut(): void {
    this.#pieces.push(Buffer.from(this.#text));
    this.#text = '';
  }

  /** @param before, after what does not count as part of the answer */
  finish(before: string, after: string): Uint8Array {
    this.#text += after;
    this.#cut();
    return Buffer.concat(before === '' ? this.#pieces : [Buffer.from(before), ...this.#pieces]);
  }
}
