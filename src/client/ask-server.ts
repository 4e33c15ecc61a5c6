import { type ErrorCode, errorCatalogue } from '../core/errors.js';
import type { JsonValue } from '../core/handlers/handler.js';
import { askHttp, type HttpAnswer } from '../transport/outbound/http-client.js';

export { NoAnswer } from '../transport/outbound/no-answer.js';

export interface ServerQuestion {
  readonly path: string;
  readonly method: 'GET' | 'POST';
  /** undefined: not given. */
  readonly parameters?: Readonly<Record<string, string | undefined>>;
  readonly accept: string;
  readonly body?: { readonly type: string; readonly content: string | Uint8Array };
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** What a server said about a request that it did not carry out. */
export class ServerFault extends Error {
  readonly status: number;
  /** A code of Taba's catalogue, or `http` when something else answered. */
  readonly code: ErrorCode | 'http';
  /** The answer as it came. */
  readonly body: string;

  constructor(status: number, code: ErrorCode | 'http', message: string, body: string) {
    super(message);
    this.name = 'ServerFault';
    this.status = status;
    this.code = code;
    this.body = body;
  }

  /** What was done nevertheless, where work that is spread over the cluster was done in part. */
  get done(): Readonly<Record<string, JsonValue>> | undefined {
    if (this.code === 'http') return undefined;
    const { error } = JSON.parse(this.body) as { error: { done?: unknown } };
    return typeof error.done === 'object' && error.done !== null
      ? (error.done as Readonly<Record<string, JsonValue>>)
      : undefined;
  }

  /** What can be done about it. */
  get remedy(): string | undefined {
    return this.code === 'http' ? undefined : errorCatalogue[this.code].remedy;
  }
}

export interface ServerAnswer {
  readonly text: string;
  /** Buckets that it says nothing about, as in `3-7,12`, where a partial answer was asked for. */
  readonly missingBuckets: string | undefined;
}

/** Longer selections are sent as a form: how long a URL may be differs from proxy to proxy. */
const maxQueryChars = 2_000;

/**
 * One request to a server.
 *
 * @returns an answer of success
 * @throws ServerFault, NoAnswer, and TabaError `result_too_large`
 */
export async function askServer(origin: string, question: ServerQuestion): Promise<ServerAnswer> {
  const { accept, headers, timeoutMs } = question;
  const url = new URL(question.path, origin);
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(question.parameters ?? {})) {
    if (value !== undefined) query.set(name, value);
  }
  const isForm = question.body === undefined && String(query).length > maxQueryChars;
  if (!isForm) url.search = String(query);
  const body = isForm ? { type: 'application/x-www-form-urlencoded', content: String(query) } : question.body;
  const answer = await askHttp({
    url,
    method: isForm ? 'POST' : question.method,
    headers: { ...headers, accept, ...(body && { 'content-type': body.type }) },
    ...(body && { body: body.content }),
    timeoutMs,
  });
  if (answer.status < 200 || answer.status >= 300) throw faultOf(answer);
  return { text: textOf(answer), missingBuckets: answer.headers.get('x-taba-missing-buckets') };
}

function textOf(answer: HttpAnswer): string {
  return Buffer.from(answer.body).toString();
}

function faultOf(answer: HttpAnswer): ServerFault {
  const { status } = answer;
  const text = textOf(answer);
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown; message?: unknown } };
    if (typeof error?.code === 'string') {
      const code = Object.hasOwn(errorCatalogue, error.code) ? (error.code as ErrorCode) : 'http';
      // A newer server may know codes that are not known here.
      const message = code === 'http' ? `${error.message} (${error.code})` : String(error.message);
      return new ServerFault(status, code, message, text);
    }
  } catch {
    // Not one of ours: a proxy in between, or another service on the port.
  }
  const said = text.slice(0, 200).trim() || 'an empty answer';
  return new ServerFault(status, 'http', `HTTP ${status}: ${said}`, text);
}
