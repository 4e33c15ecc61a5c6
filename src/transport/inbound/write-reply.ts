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
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  response.cork(() => {
    response.writeStatus(`${status} ${reasons[status] ?? 'Unknown'}`);
    for (const [name, value] of Object.entries(headers)) response.writeHeader(name, oneLine(value));
    if (closes) response.writeHeader('connection', 'close');
    if (head) response.endWithoutBody(bytes.length, closes);
    else if (bytes.length <= streamedBytes || closes) response.end(bytes, closes);
    else stream(response, bytes);
  });
}

function stream(response: HttpResponse, bytes: Uint8Array): void {
  const startOffset = response.getWriteOffset();
  const [taken] = response.tryEnd(bytes, bytes.length);
  if (taken) return;
  response.onWritable((offset) => {
    const [isTaken] = response.tryEnd(bytes.subarray(offset - startOffset), bytes.length);
    return isTaken;
  });
}

/** uWebSockets.js writes header values as they are: a line break in one would begin another header. */
function oneLine(value: string): string {
  return value.replace(/[\r\n]+/g, ' ');
}
