import { type ErrorCode, errorCatalogue } from '../core/errors.js';
import type { JsonValue } from '../core/handlers/handler.js';
import { askHttp, type HttpAnswer } from '../transport/outbound/http-client.js';

export interface ReaderOptions {
  /** Any server. Default: `http://127.0.0.1:8300`. */
  readonly url?: string;
  /** Default: 60,000 ms. */
  readonly timeoutMs?: number;
}

/** Which tabs, and of which clients. Without names: all. */
export interface Selection {
  readonly names?: readonly string[];
  readonly clients?: readonly string[];
  /** Names and clients are regular expressions (RE2), matched from the beginning. */
  readonly re?: boolean;
}

/** `json`: for programs; `json-detailed`: everything that is known. */
export interface Shown extends Selection {
  readonly detail?: boolean;
}

/** What a server said about a request that it did not carry out. */
export class ServerFault extends Error {
  readonly status: number;
  /** A code of Taba's catalogue, or `http` when something else answered. */
  readonly code: ErrorCode | 'http';

  constructor(status: number, code: ErrorCode | 'http', message: string) {
    super(message);
    this.name = 'ServerFault';
    this.status = status;
    this.code = code;
  }
}

type Json = Readonly<Record<string, JsonValue>>;
type Parameters = Readonly<Record<string, string | undefined>>;

/** Asks a server. Every method rejects with `ServerFault`, or with an error that says that nobody answers and why. */
export interface Reader {
  /** Aggregates over all clients. `{tab: rendering}` */
  tabs(selection?: Shown): Promise<Json>;
  /** Renderings of each client. `{client: {tab: rendering}}` */
  projection(selection?: Shown): Promise<Readonly<Record<string, Json>>>;
  /** One rendering over several tabs of one type. */
  superTabs(selection: Shown): Promise<JsonValue>;
  names(selection?: Selection): Promise<string[]>;
  clients(selection?: Selection): Promise<string[]>;
  /** `{tab: type}` */
  types(selection?: Selection): Promise<Readonly<Record<string, string>>>;
  status(): Promise<Json>;
  /** `{server: [roles]}` */
  servers(): Promise<Readonly<Record<string, string[]>>>;
  latency(): Promise<Json>;
  /** Deletes tabs, or what some clients hold of them. */
  delete(selection: Selection): Promise<JsonValue>;
  gc(): Promise<JsonValue>;
  /** @param repair whether faults are put right, too */
  check(repair?: boolean): Promise<JsonValue>;
  upgrade(): Promise<JsonValue>;
  recompute(selection?: Selection): Promise<JsonValue>;
  /** Discards pending Blocks, and counts them as dropped. */
  flushAll(): Promise<JsonValue>;
  /** The rendering for people, as the command line prints it. */
  text(path: '/tabs' | '/projection' | '/supertabs' | '/status', selection?: Selection): Promise<string>;
}

export function createReader({
  url = 'http://127.0.0.1:8300',
  timeoutMs = 60_000,
}: ReaderOptions = {}): Reader {
  async function ask(
    method: 'GET' | 'POST',
    path: string,
    parameters: Parameters,
    accept: string,
  ): Promise<HttpAnswer> {
    const target = new URL(path, url);
    for (const [name, value] of Object.entries(parameters)) {
      if (value !== undefined) target.searchParams.set(name, value);
    }
    const answer = await askHttp({ url: target, method, headers: { accept }, timeoutMs });
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw faultOf(answer);
  }

  async function json<T>(
    method: 'GET' | 'POST',
    path: string,
    parameters: Parameters = {},
    accept = 'application/json',
  ): Promise<T> {
    const answer = await ask(method, path, parameters, accept);
    const text = textOf(answer);
    try {
      return JSON.parse(text) as T;
    } catch {
      throw new ServerFault(
        answer.status,
        'http',
        `${url} answered something that is not JSON: ${text.slice(0, 100)}`,
      );
    }
  }

  const shown = <T>(path: string, selection: Shown = {}): Promise<T> =>
    json<T>(
      'GET',
      path,
      parametersOf(selection),
      selection.detail ? 'application/json-detailed' : 'application/json',
    );

  return {
    tabs: (selection) => shown('/tabs', selection),
    projection: (selection) => shown('/projection', selection),
    superTabs: (selection) => shown('/supertabs', selection),
    names: (selection) => shown('/names', selection),
    clients: (selection) => shown('/clients', selection),
    types: (selection) => shown('/types', selection),
    status: () => json('GET', '/status'),
    servers: () => json('GET', '/servers'),
    latency: () => json('GET', '/latency'),
    delete: (selection) => json('POST', '/delete', parametersOf(selection)),
    gc: () => json('POST', '/gc'),
    check: (repair = false) => json('POST', '/check', { dry: String(!repair) }),
    upgrade: () => json('POST', '/upgrade'),
    recompute: (selection = {}) => json('POST', '/recompute', parametersOf(selection)),
    flushAll: () => json('POST', '/flush_all'),
    async text(path, selection = {}) {
      return textOf(await ask('GET', path, parametersOf(selection), 'text/plain'));
    },
  };
}

function parametersOf({ names, clients, re }: Selection): Parameters {
  return { name: names?.join(','), client: clients?.join(','), re: re ? 'true' : undefined };
}

function textOf(answer: HttpAnswer): string {
  return Buffer.from(answer.body).toString();
}

function faultOf(answer: HttpAnswer): ServerFault {
  const text = textOf(answer);
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown; message?: unknown } };
    if (typeof error?.code === 'string' && Object.hasOwn(errorCatalogue, error.code)) {
      return new ServerFault(answer.status, error.code as ErrorCode, String(error.message));
    }
  } catch {
    // Not one of ours: a proxy in between, or another service on the port.
  }
  return new ServerFault(
    answer.status,
    'http',
    `HTTP ${answer.status}: ${text.slice(0, 200).trim() || 'an empty answer'}`,
  );
}
