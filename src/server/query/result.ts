import { TabaError } from '../../core/errors.js';
import type { JsonValue, RenderForm } from '../../core/handlers/handler.js';
import { replyWith } from '../../transport/inbound/accept.js';
import type { HttpReply } from '../../transport/inbound/http.js';

/** Keyed pieces of an answer, in order, of bounded size in all. */
export class Result {
  readonly #form: RenderForm;
  readonly #maxBytes: number;
  readonly #pieces: string[] = [];
  #bytes = 0;

  constructor(form: RenderForm, maxBytes: number) {
    this.#form = form;
    this.#maxBytes = maxBytes;
  }

  /** @returns the size of the piece, bytes or nearly so @throws TabaError `result_too_large` */
  add(key: string, value: JsonValue): number {
    const piece =
      this.#form === 'text' ? `${key}: ${value}\n` : `${JSON.stringify(key)}: ${JSON.stringify(value)}`;
    this.#bytes += piece.length;
    if (this.#bytes > this.#maxBytes) {
      throw new TabaError('result_too_large', `the answer has more than ${this.#maxBytes} bytes`);
    }
    this.#pieces.push(piece);
    return piece.length;
  }

  get body(): string {
    return this.#form === 'text' ? this.#pieces.join('') : `{${this.#pieces.join(',\n')}}\n`;
  }

  reply(headers: Readonly<Record<string, string>> = {}): HttpReply {
    return replyWith(this.#form, this.body, headers);
  }
}
