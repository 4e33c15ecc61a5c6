import { RE2JS } from 're2js';
import { TabaError } from '../../core/errors.js';
import type { QueryTurn } from './query-turn.js';

/** A regular expression of a query: RE2 syntax, linear time, matched from the beginning of a name. */
export class Expression {
  readonly #pattern: RE2JS;

  /** @throws TabaError `bad_expression`, naming the fault */
  constructor(text: string, maxBytes: number) {
    const bytes = Buffer.byteLength(text);
    if (bytes > maxBytes) {
      throw new TabaError('bad_expression', `the expression has ${bytes} bytes; ${maxBytes} are allowed`);
    }
    try {
      // Alone first: what is broken must not become valid by what surrounds it.
      RE2JS.compile(text);
      this.#pattern = RE2JS.compile(`^(?:${text})`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new TabaError('bad_expression', `${JSON.stringify(text)} is not a regular expression: ${reason}`);
    }
  }

  test(name: string): boolean {
    return this.#pattern.test(name);
  }

  /** Those of `items` whose name matches, in slices that let others run. */
  async filter<T>(items: Iterable<T>, nameOf: (item: T) => string, turn: QueryTurn): Promise<T[]> {
    const found: T[] = [];
    for (const item of items) {
      if (this.test(nameOf(item))) found.push(item);
      if (turn.isOver) await turn.next();
    }
    return found;
  }
}
