import { RE2JS } from 're2js';
import { TabaError } from '../core/errors.js';
import type { ClientId, TabName } from '../core/ids.js';

export interface DenyListOptions {
  /** Regular expressions, RE2 syntax; each matches from the beginning of a tab name. */
  readonly names: readonly string[];
  /** The same for client ids. */
  readonly clients: readonly string[];
  readonly maxExpressionBytes: number;
}

/** Tab names and client ids that a node refuses. */
export class DenyLists {
  readonly #names: RE2JS | undefined;
  readonly #clients: RE2JS | undefined;

  /** @throws TabaError `bad_setting`, naming the list and the expression */
  constructor({ names, clients, maxExpressionBytes }: DenyListOptions) {
    this.#names = compileList('name-denylist', names, maxExpressionBytes);
    this.#clients = compileList('client-denylist', clients, maxExpressionBytes);
  }

  deniesTab(tab: TabName): boolean {
    return this.#names?.test(tab) ?? false;
  }

  deniesClient(client: ClientId): boolean {
    return this.#clients?.test(client) ?? false;
  }
}

/** Denies nothing. */
export const noDenyLists = new DenyLists({ names: [], clients: [], maxExpressionBytes: 0 });

/** All expressions as one, so that a name is looked at once. `test` of `^(?:…)` is far faster than `lookingAt`. */
function compileList(setting: string, expressions: readonly string[], maxBytes: number): RE2JS | undefined {
  if (expressions.length === 0) return undefined;
  for (const expression of expressions) {
    const bytes = Buffer.byteLength(expression);
    if (bytes > maxBytes) {
      throw new TabaError(
        'bad_setting',
        `${setting}: an expression of ${bytes} bytes; ${maxBytes} are allowed`,
      );
    }
    // Each on its own: what is broken alone must not become valid by what surrounds it.
    compile(setting, expression, expression);
  }
  return compile(setting, `^(?:${expressions.map((one) => `(?:${one})`).join('|')})`, expressions.join(' '));
}

function compile(setting: string, pattern: string, shown: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TabaError(
      'bad_setting',
      `${setting}: ${JSON.stringify(shown)} is not a regular expression: ${reason}`,
    );
  }
}
