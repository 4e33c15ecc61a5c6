import type { HttpResponse } from 'uWebSockets.js';
import type { HttpReply } from './http.js';

/** Larger bodies are handed over piece by piece, as the other side takes them, instead of being buffered whole. */
const streamedBytes = 128 * 1024;

const reasons: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  304: 'Not Modified',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** Writes an answer. The response must not have been aborted, nor answered before. */
export function writeReply(
  response: HttpResponse,
  { status, headers = {}, body = '' }: HttpReply,
  { head, closes }: { readonly head: boolean; readonly closes: boolean },
): void {
  const pieces = piecesOf(body);
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  response.cork(() => {
    response.writeStatus(`${status} ${reasons[status] ?? 'Unknown'}`);
    for (const [name, value] of Object.entries(headers)) response.writeHeader(name, oneLine(value));
    if (closes) response.writeHeader('connection', 'close');
    if (head) response.endWithoutBody(length, closes);
    else if (length <= streamedBytes || closes) response.end(joined(pieces), closes);
    else stream(response, pieces, length);
  });
}

function piecesOf(body: NonNullable<HttpReply['body']>): readonly Uint8Array[] {
  if (typeof body === 'string') return [Buffer.from(body)];
  return body instanceof Uint8Array ? [body] : body;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

function stream(response: HttpResponse, pieces: readonly Uint8Array[], length: number): void {
  const startOffset = response.getWriteOffset();
  let next = 0;
  /** Where in the body piece `next` begins. */
  let start = 0;
  /** @returns whether everything was taken; what was not stays with this side */
  const send = (taken: number): boolean => {
    let from = taken - start;
    while (next < pieces.length) {
      const piece = pieces[next]!;
      const [isTaken] = response.tryEnd(from === 0 ? piece : piece.subarray(from), length);
      if (!isTaken) return false;
      start += piece.length;
      next++;
      from = 0;
    }
    return true;
  };
  if (send(0)) return;
  response.onWritable((offset) => send(offset - startOffset));
}

/** uWebSockets.js writes header values as they are: a line break in one would begin another header. */
function oneLine(value: string): string {
  return value.replace(/[\r\n]+/g, ' ');
}
