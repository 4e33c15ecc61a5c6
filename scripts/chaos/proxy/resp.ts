/** Redis's protocol (RESP2 and RESP3) as a proxy needs it: where one value ends, and a glance into it. */

const [carriageReturn, lineFeed] = [0x0d, 0x0a];
/** Types whose line says how many bytes follow: bulk string, bulk error, verbatim string. */
const sized = new Set(['$', '!', '=']);
/** Types whose line says how many values follow; `%` and `|` count pairs. */
const aggregates = new Set(['*', '~', '>', '%', '|']);

/** Cuts a stream into its top-level values, whatever pieces it comes in. */
export class RespSplitter {
  #rest: Buffer = Buffer.alloc(0);
  /** Nothing is complete before so many bytes are here. */
  #need = 1;

  /** @returns every value that is complete now */
  push(chunk: Buffer): Buffer[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const values: Buffer[] = [];
    while (this.#rest.length >= this.#need) {
      const end = endOfValue(this.#rest);
      if (end > this.#rest.length) {
        this.#need = end;
        break;
      }
      values.push(this.#rest.subarray(0, end));
      this.#rest = this.#rest.subarray(end);
      this.#need = 1;
    }
    return values;
  }

  /** Gives what is left, and forgets it: from here on the stream is no RESP. */
  takeRest(): Buffer {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    this.#need = 1;
    return rest;
  }
}

/** Offset behind the first value; beyond the end of `bytes` where it is not complete: then at least so many are needed. */
function endOfValue(bytes: Buffer): number {
  let at = 0;
  for (let left = 1; left > 0; left--) {
    const lineEnd = bytes.indexOf(lineFeed, at);
    if (lineEnd < 0) return bytes.length + 1;
    const type = String.fromCharCode(bytes[at]!);
    const size = Number(bytes.toString('latin1', at + 1, lineEnd - 1));
    // `|` (attributes) stands before the value that it is about.
    if (aggregates.has(type)) left += Math.max(0, type === '%' || type === '|' ? size * 2 : size);
    if (type === '|') left++;
    at = lineEnd + 1;
    if (!sized.has(type) || size < 0) continue;
    at += size + 2;
    if (at > bytes.length) return at;
  }
  return at;
}

/** The words of a command, as Latin-1, each cut to `length`. */
export function wordsOf(command: Buffer, most: number, length: number): string[] {
  if (command[0] !== 0x2a) return command.toString('latin1').trim().split(/\s+/).slice(0, most);
  const words: string[] = [];
  let at = command.indexOf(lineFeed) + 1;
  while (at < command.length && words.length < most) {
    const lineEnd = command.indexOf(lineFeed, at);
    const size = Number(command.toString('latin1', at + 1, lineEnd - 1));
    words.push(command.toString('latin1', lineEnd + 1, lineEnd + 1 + Math.min(size, length)));
    at = lineEnd + 1 + size + 2;
  }
  return words;
}

/** The whole word at `index` of a command. */
export function wordAt(command: Buffer, index: number): string | undefined {
  return wordsOf(command, index + 1, Number.POSITIVE_INFINITY)[index];
}

/** Passes the text of every bulk string in a value through `change`. */
export function mapBulkStrings(value: Buffer, change: (text: string) => string): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  while (at < value.length) {
    const lineEnd = value.indexOf(lineFeed, at);
    const type = String.fromCharCode(value[at]!);
    const size = Number(value.toString('latin1', at + 1, lineEnd - 1));
    if (type !== '$' || size < 0) {
      parts.push(value.subarray(at, lineEnd + 1));
      at = lineEnd + 1;
      continue;
    }
    const text = change(value.toString('latin1', lineEnd + 1, lineEnd + 1 + size));
    parts.push(Buffer.from(`$${text.length}\r\n${text}\r\n`, 'latin1'));
    at = lineEnd + 1 + size + 2;
  }
  return Buffer.concat(parts);
}

/** The beginning of a reply on one line: `:1`, `-MOVED …`, `$-1`, `*2 $1 a $1 b`. */
export function glance(reply: Buffer, length = 200): string {
  const shown = reply.subarray(0, length).toString('latin1');
  return shown
    .split(String.fromCharCode(carriageReturn, lineFeed))
    .filter((line) => line !== '')
    .join(' ');
}
