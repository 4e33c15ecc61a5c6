import type { ErrorCode } from '../../src/core/errors.js';
import type { Items, RawEvent } from '../../src/wire/item-sink.js';

export type Item = RawEvent | { readonly code: ErrorCode; readonly message: string };

/** The items of a body, in their order. */
export function itemsOf(items: Items): Item[] {
  const collected: Item[] = [];
  items({
    event: (event) => collected.push(event),
    fault: (code, message) => collected.push({ code, message }),
  });
  return collected;
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
