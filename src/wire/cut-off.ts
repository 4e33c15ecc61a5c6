/**
 * Whether text that is not JSON looks as if its end had not arrived: it stops within a string, or before every bracket
 * is closed. Tells a body that ended early from one whose last line is merely wrong.
 */
export function isCutOff(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (inString) {
      if (character === '\\') at++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth--;
  }
  return inString || depth > 0;
}
