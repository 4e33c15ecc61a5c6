/**
 * Whether a JSON value would take more than `maxBytes` bytes as JSON text in UTF-8 (strings: their own bytes, without
 * quotes and escapes). Gives up as soon as it does, so that neither depth nor breadth can cost more than the limit.
 */
export function isLargerThan(value: unknown, maxBytes: number): boolean {
  return bytesLeft(value, maxBytes) < 0;
}

function bytesLeft(value: unknown, before: number): number {
  if (typeof value === 'string') {
    // A UTF-16 unit takes at least one byte: what is longer than the limit need not be looked at.
    return value.length > before ? -1 : before - Buffer.byteLength(value);
  }
  if (typeof value !== 'object' || value === null) return before - String(value).length;
  // The brackets, less the comma that the last of n does not have.
  let left = before - 1;
  const isArray = Array.isArray(value);
  for (const key in value) {
    if (left < 0) return left;
    left -= isArray ? 1 : Buffer.byteLength(key) + 4;
    if (left >= 0) left = bytesLeft((value as Record<string, unknown>)[key], left);
  }
  return left;
}
