import type { JsonValue } from '../core/handlers/handler.js';
import { askServer, ServerFault } from './ask-server.js';

export interface ReaderOptions {
  /** Any server. Default: `http://127.0.0.1:8300`. */
  readonly url?: string;
  /** Of each question. Default: 60,000 ms. */
  readonly timeoutMs?: number;
}

/** Which tabs. Without names: all. */
export interface TabSelection {
  readonly names?: readonly string[];
  /** Names (and clients) are regular expressions (RE2), matched from the beginning; one that matches is enough. */
  readonly re?: boolean;
}

/** Which tabs, and of which clients. Without names, or without clients: all. */
export interface Selection extends TabSelection {
  readonly clients?: readonly string[];
}

export interface Shown extends Selection {
  /** Everything that is known. */
  readonly detail?: boolean;
}

/** `text`: for people; `json`: for programs; `detailed`: JSON with everything that is known. */
export type AnswerForm = 'text' | 'json' | 'detailed';

/** Every route that answers in all forms, with what asks it. `/check` looks by GET, and repairs by POST. */
const methods = {
  '/tabs': 'GET',
  '/projection': 'GET',
  '/supertabs': 'GET',
  '/names': 'GET',
  '/clients': 'GET',
  '/types': 'GET',
  '/status': 'GET',
  '/servers': 'GET',
  '/latency': 'GET',
  '/check': 'GET',
  '/delete': 'POST',
  '/gc': 'POST',
  '/upgrade': 'POST',
  '/recompute': 'POST',
  '/flush_all': 'POST',
} as const;

export type ReaderRoute = keyof typeof methods;

/** A server refuses what its route does not know. */
export interface Question extends Selection {
  /** Default: `text`. */
  readonly form?: AnswerForm;
  /** `/flush_all`: of these only. */
  readonly buckets?: readonly number[];
  /** `/check`: put faults right, too. */
  readonly repair?: boolean;
  /** Answer for the buckets that are served, where some are not: without it that is `unavailable`. */
  readonly partial?: boolean;
  /** Told which buckets such an answer says nothing about, as in `3-7,12`. */
  readonly onMissing?: (buckets: string) => void;
}

type Json = Readonly<Record<string, JsonValue>>;

/** Asks a server. Every method rejects with `ServerFault`, or with `NoAnswer` that says why nobody answered. */
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
  /** Seconds. */
  latency(): Promise<Json>;
  /** Deletes whole tabs, with everything that was counted. */
  delete(selection: TabSelection & { readonly names: readonly string[] }): Promise<JsonValue>;
  gc(): Promise<JsonValue>;
  /** @param repair whether faults are put right, too */
  check(repair?: boolean): Promise<JsonValue>;
  upgrade(): Promise<JsonValue>;
  recompute(selection?: TabSelection): Promise<JsonValue>;
  /** Discards pending Blocks (of some buckets), and counts them as dropped. */
  flushAll(buckets?: readonly number[]): Promise<JsonValue>;
  /** The answer of a route as the server wrote it, such as the text for people that the command line prints. */
  answer(route: ReaderRoute, question?: Question): Promise<string>;
}

const mediaTypes: Readonly<Record<AnswerForm, string>> = {
  text: 'text/plain',
  json: 'application/json',
  detailed: 'application/json-detailed',
};

export function createReader({
  url = 'http://127.0.0.1:8300',
  timeoutMs = 60_000,
}: ReaderOptions = {}): Reader {
  async function answer(route: ReaderRoute, question: Question = {}): Promise<string> {
    const { text, missingBuckets } = await askServer(url, {
      path: route,
      method: question.repair ? 'POST' : methods[route],
      parameters: parametersOf(question),
      accept: mediaTypes[question.form ?? 'text'],
      timeoutMs,
    });
    if (missingBuckets !== undefined) question.onMissing?.(missingBuckets);
    return text;
  }

  async function json<T>(route: ReaderRoute, question: Question & Shown = {}): Promise<T> {
    const text = await answer(route, { ...question, form: question.detail ? 'detailed' : 'json' });
    try {
      return JSON.parse(text) as T;
    } catch {
      const message = `${url} answered something that is not JSON: ${text.slice(0, 100)}`;
      throw new ServerFault(200, 'http', message, text);
    }
  }

  return {
    answer,
    tabs: (selection) => json('/tabs', selection),
    projection: (selection) => json('/projection', selection),
    superTabs: (selection) => json('/supertabs', selection),
    names: (selection) => json('/names', selection),
    clients: (selection) => json('/clients', selection),
    types: (selection) => json('/types', selection),
    status: () => json('/status'),
    servers: () => json('/servers'),
    latency: () => json('/latency'),
    delete: (selection) => json('/delete', selection),
    gc: () => json('/gc'),
    check: (repair = false) => json('/check', { repair }),
    upgrade: () => json('/upgrade'),
    recompute: (selection) => json('/recompute', selection),
    flushAll: (buckets) => json('/flush_all', buckets && { buckets }),
  };
}

function parametersOf(question: Question): Readonly<Record<string, string | undefined>> {
  const { names, clients, re = false, buckets, repair, partial } = question;
  return {
    name: joined(names, re),
    client: joined(clients, re),
    re: re ? 'true' : undefined,
    buckets: buckets?.join(','),
    dry: repair ? 'false' : undefined,
    partial: partial ? 'true' : undefined,
  };
}

/** An empty list stays an empty parameter, which a server refuses: it must not become "all". */
function joined(items: readonly string[] | undefined, re: boolean): string | undefined {
  if (items === undefined || !re || items.length < 2) return items?.join(',');
  return items.map((expression) => `(?:${expression})`).join('|');
}
