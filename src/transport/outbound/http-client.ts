import type { ClientRequest, IncomingMessage } from 'node:http';
import { TabaError } from '../../core/errors.js';
import { NoAnswer } from './no-answer.js';

export interface HttpQuestion {
  readonly url: string | URL;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** From the call to the last byte of the answer. */
  readonly timeoutMs?: number;
  /** A larger answer is an error, found out before it is in memory. */
  readonly maxAnswerBytes?: number;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  /** Lower-case names; several headers of one name are joined by `, `. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

const defaultTimeoutMs = 30_000;
const defaultMaxAnswerBytes = 64 * 2 ** 20;

const reasonOf: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name cannot be resolved at the moment',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'the host does not react',
};

/**
 * One request over a connection of its own. Any status is an answer.
 *
 * @throws NoAnswer, and TabaError `result_too_large`
 */
export async function askHttp(question: HttpQuestion): Promise<HttpAnswer> {
  const url = new URL(question.url);
  const { timeoutMs = defaultTimeoutMs, maxAnswerBytes = defaultMaxAnswerBytes, signal, body } = question;
  // Loading TLS takes a while, and most never need it.
  const { request } = await (url.protocol === 'https:' ? import('node:https') : import('node:http'));
  return new Promise((resolve, reject) => {
    const outgoing: ClientRequest = request(url, {
      method: question.method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        ...question.headers,
        ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
      },
      agent: false,
      ...(signal === undefined ? {} : { signal }),
    });
    const deadline = setTimeout(
      () => fail(new NoAnswer(url.origin, `nothing within ${timeoutMs} ms`)),
      timeoutMs,
    );

    function fail(error: unknown): void {
      clearTimeout(deadline);
      reject(error);
      outgoing.destroy();
    }

    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      const { code } = error;
      fail(
        signal?.aborted
          ? signal.reason
          : new NoAnswer(url.origin, reasonOf[code ?? ''] ?? error.message, code),
      );
    });
    outgoing.on('response', (incoming) => {
      gather(incoming, maxAnswerBytes).then(
        (gathered) => {
          clearTimeout(deadline);
          resolve({ status: incoming.statusCode ?? 0, headers: headersOf(incoming), body: gathered });
        },
        (error: unknown) => {
          fail(error instanceof TabaError ? error : new NoAnswer(url.origin, 'the answer broke off'));
        },
      );
    });
    outgoing.end(body);
  });
}

async function gather(incoming: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of incoming as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > maxBytes) {
      throw new TabaError('result_too_large', `the answer is larger than ${maxBytes} bytes`, { maxBytes });
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function headersOf(incoming: IncomingMessage): Map<string, string> {
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return headers;
}
