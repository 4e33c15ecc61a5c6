const zero = 48;
const nine = 57;
const dot = 46;
const plus = 43;
const minus = 45;

/** Powers of ten that are doubles without rounding. */
export const exactPowers = Float64Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));
/** A mantissa of so many digits is an exact double; divided by an exact power of ten it is rounded once, as it should be. */
export const exactDigits = 15;

/**
 * The number that stands from `start` up to `end`: `[+-]` digits, with a point anywhere among them, and `[eE][+-]` digits.
 * Nothing else: no spaces, no hexadecimal, no words.
 *
 * @returns NaN for anything that is not such a number, or beyond the doubles; never -0
 */
export function decimalOf(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  const sign = bytes[at] === minus ? -1 : 1;
  if (at < end && (bytes[at] === minus || bytes[at] === plus)) at++;
  let mantissa = 0;
  let digits = 0;
  let point = -1;
  for (; at < end; at++) {
    const byte = bytes[at]!;
    if (byte >= zero && byte <= nine) {
      mantissa = mantissa * 10 + (byte - zero);
      digits++;
    } else if (byte === dot && point < 0) point = digits;
    else break;
  }
  if (digits === 0) return Number.NaN;
  if (at === end && digits <= exactDigits) {
    const value = point < 0 ? mantissa : mantissa / exactPowers[digits - point]!;
    return sign * value + 0;
  }
  if (at < end && !isExponent(bytes, at, end)) return Number.NaN;
  let text = '';
  for (let index = start; index < end; index++) text += String.fromCharCode(bytes[index]!);
  const value = Number(text);
  return Number.isFinite(value) ? value + 0 : Number.NaN;
}

function isExponent(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  if ((bytes[at]! | 32) !== 0x65) return false;
  at++;
  if (at < end && (bytes[at] === plus || bytes[at] === minus)) at++;
  if (at === end) return false;
  for (; at < end; at++) if (bytes[at]! < zero || bytes[at]! > nine) return false;
  return true;
}
