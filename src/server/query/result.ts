import { TabaError } from '../../core/errors.js';

/** How much an answer has come to, bounded while it grows. */
export class Size {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @param cells text whose characters are bytes, or nearly so @throws TabaError `result_too_large` */
  add(cells: readonly string[]): void {
    for (const cell of cells) this.#bytes += cell.length;
    if (this.#bytes > this.#maxBytes) throw tooLarge(this.#maxBytes);
  }
}

export function tooLarge(maxBytes: number): TabaError {
  return new TabaError('result_too_large', `the answer has more than ${maxBytes} bytes`);
}
