import { xxHash32 } from '../../core/xxhash32.js';
import type { Attribute } from '../../wire/otlp/metrics.js';

const encoder = new TextEncoder();
/** Bits of the second hash that fit beside the first one into an integer of a double. */
const secondBits = 21;
const secondSeed = 0x7461_6261;

/** Texts, so that no two lists of them are one text. */
export function joined(texts: Iterable<string>): string {
  let all = '';
  for (const text of texts) all += `${text.length}:${text}`;
  return all;
}

/** Attributes in an order of their own: senders need not keep to one. */
export function attributesText(attributes: readonly Attribute[]): string {
  return joined([...attributes].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).flat());
}

/** 53 bits that stand for a text: one in 10^15 for any two. */
export function streamId(text: string): number {
  const bytes = encoder.encode(text);
  return xxHash32(bytes) * 2 ** secondBits + (xxHash32(bytes, secondSeed) >>> (32 - secondBits));
}
