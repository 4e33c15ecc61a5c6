/** DogStatsD's events and service checks, as far as is needed to tell them from garbage. */
const comma = 44;
const zero = 48;
const nine = 57;
const pipe = 124;
const brace = 125;
const colon = 58;

/** `_e{5,4}:title|text`, and fields behind it; the line begins with `_e{`. */
export function isEvent(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start + '_e{'.length;
  let title = 0;
  let text = 0;
  let from = at;
  for (; at < end && isDigit(bytes[at]!); at++) title = title * 10 + bytes[at]! - zero;
  if (at === from || bytes[at++] !== comma) return false;
  from = at;
  for (; at < end && isDigit(bytes[at]!); at++) text = text * 10 + bytes[at]! - zero;
  if (at === from || bytes[at++] !== brace || bytes[at++] !== colon || title === 0) return false;
  const textStart = at + title + 1;
  const textEnd = textStart + text;
  if (textEnd > end || bytes[textStart - 1] !== pipe) return false;
  return textEnd === end || bytes[textEnd] === pipe;
}

/** `_sc|name|0`, and fields behind it; the line begins with `_sc|`. */
export function isServiceCheck(bytes: Uint8Array, start: number, end: number): boolean {
  const nameStart = start + '_sc|'.length;
  let at = nameStart;
  while (at < end && bytes[at] !== pipe) at++;
  if (at === nameStart || at + 1 >= end) return false;
  const status = bytes[at + 1]! - zero;
  return status >= 0 && status <= 3 && (at + 2 === end || bytes[at + 2] === pipe);
}

function isDigit(byte: number): boolean {
  return byte >= zero && byte <= nine;
}
