import { tooLarge } from './result.js';

/** Small enough to come out of memory that was in use before: the system takes longer to give new memory than it takes to write into it. */
const pieceBytes = 64 * 1024;
/** What a character may take in UTF-8. */
const maxCharacterBytes = 3;
/** Short texts wait for each other up to so many characters: writing them one by one takes twice as long. */
const gatheredCharacters = 4096;

/** The body of an answer while it is written: what is made of it so far is bytes already, and never copied again. */
export class AnswerBody {
  readonly #maxBytes: number;
  readonly #pieces: Uint8Array[] = [];
  /** What is not written yet. */
  #text = '';
  #piece: Buffer | undefined;
  /** Bytes of `#piece` that are written. */
  #used = 0;
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @param text whose characters are bytes, or nearly so @throws TabaError `result_too_large` */
  add(text: string): void {
    this.#length += text.length;
    if (this.#length > this.#maxBytes) throw tooLarge(this.#maxBytes);
    this.#text += text;
    if (this.#text.length >= gatheredCharacters) this.#flush();
  }

  #flush(): void {
    this.#write(this.#text);
    this.#text = '';
  }

  #write(text: string): void {
    const most = text.length * maxCharacterBytes;
    if (this.#piece !== undefined && most > this.#piece.length - this.#used) this.#cut();
    if (most > pieceBytes) {
      this.#pieces.push(Buffer.from(text));
      return;
    }
    this.#piece ??= Buffer.allocUnsafeSlow(pieceBytes);
    this.#used += this.#piece.write(text, this.#used);
  }

  #cut(): void {
    if (this.#piece !== undefined) this.#pieces.push(this.#piece.subarray(0, this.#used));
    this.#piece = undefined;
    this.#used = 0;
  }

  /** @param before, after what does not count as part of the answer */
  finish(before: string, after: string): readonly Uint8Array[] {
    this.#text += after;
    // Most answers are as short as that: a whole piece for each would keep the garbage collector busy.
    if (this.#piece === undefined) this.#pieces.push(Buffer.from(this.#text));
    else this.#flush();
    this.#cut();
    return before === '' ? this.#pieces : [Buffer.from(before), ...this.#pieces];
  }
}
