import type { RenderForm } from '../../core/handlers/handler.js';
import type { BucketIndex } from '../../core/ids.js';
import { replyWith } from '../../transport/inbound/accept.js';
import type { HttpReply } from '../../transport/inbound/http.js';
import { bucketRanges } from './bucket-ranges.js';
import { tooLarge } from './result.js';

/** How an answer is written, and what has to be said about it. */
export interface Wording {
  readonly form: RenderForm;
  /** The moment for which the answer holds, seconds UTC, where it is about a moment. */
  readonly asOfSec?: number;
  /** Buckets that the answer says nothing about. */
  readonly missing: readonly BucketIndex[];
  readonly maxBytes: number;
}

type Row = readonly string[];

/** Key of the mark of a partial answer in the detailed form: no tab and no client can have that name. */
const missingKey = '%missing_buckets';

/** `[key, rendering]`: an object, or a line each. */
export function keyed(rows: readonly Row[], wording: Wording): HttpReply {
  const sorted = sortedByKey(rows);
  if (wording.form === 'text')
    return reply(sorted.map(([key, rendering]) => `${key}: ${rendering}\n`).join(''), wording);
  return reply(object(sorted, wording), wording);
}

/** Each key is there once. Strings by themselves are sorted several times as fast as by a function that compares. */
function sortedByKey(rows: readonly Row[]): Row[] {
  const byKey = new Map(rows.map((row) => [row[0]!, row]));
  return [...byKey.keys()].sort().map((key) => byKey.get(key)!);
}

/** `[tab, client, rendering]`: an object of each client, as the first Taba answers; or a line each. */
export function keyedByClient(rows: readonly Row[], wording: Wording): HttpReply {
  const sorted = [...rows].sort((a, b) => byFirst(a, b) || (a[1]! < b[1]! ? -1 : 1));
  if (wording.form === 'text') {
    return reply(sorted.map(([tab, client, text]) => `(${tab}, ${client}): ${text}\n`).join(''), wording);
  }
  const tabsOf = new Map<string, Row[]>();
  for (const [tab, client, rendering] of sorted) {
    const known = tabsOf.get(client!);
    if (known === undefined) tabsOf.set(client!, [[tab!, rendering!]]);
    else known.push([tab!, rendering!]);
  }
  const clients = [...tabsOf].sort(byFirst);
  return reply(
    object(
      clients.map(([client, tabs]) => [client, members(tabs)]),
      wording,
    ),
    wording,
  );
}

/** Texts, in their order: an array, or a line each. */
export function listed(texts: Iterable<string>, wording: Wording): HttpReply {
  const sorted = [...new Set(texts)].sort();
  const body = wording.form === 'text' ? sorted.map((text) => `${text}\n`).join('') : JSON.stringify(sorted);
  return reply(body, wording);
}

/** One rendering; in the detailed form an object, so that it can be marked. */
export function single(rendering: string, wording: Wording): HttpReply {
  const { form, missing } = wording;
  if (form !== 'detailed' || missing.length === 0) return reply(rendering, wording);
  return reply(`{${mark(missing)},\n${rendering.slice(1)}`, wording);
}

function byFirst(a: readonly [string, ...unknown[]] | Row, b: readonly [string, ...unknown[]] | Row): number {
  return a[0]! < b[0]! ? -1 : a[0] === b[0] ? 0 : 1;
}

function object(rows: readonly Row[], { form, missing }: Wording): string {
  if (form !== 'detailed' || missing.length === 0) return members(rows);
  return members(rows, mark(missing));
}

function members(rows: readonly Row[], ...first: readonly string[]): string {
  return `{${[...first, ...rows.map(([key, json]) => `${JSON.stringify(key)}: ${json}`)].join(',\n')}}`;
}

function mark(missing: readonly BucketIndex[]): string {
  return `${JSON.stringify(missingKey)}: ${JSON.stringify(bucketRanges(missing))}`;
}

/** What is made as a whole is measured as a whole. @throws TabaError `result_too_large` */
function reply(body: string, { form, asOfSec, missing, maxBytes }: Wording): HttpReply {
  if (body.length > maxBytes) throw tooLarge(maxBytes);
  const buckets = bucketRanges(missing);
  const note =
    form === 'text' && buckets !== '' ? `# partial: nothing of buckets ${buckets} is in this answer\n` : '';
  const end = form === 'text' && (body === '' || body.endsWith('\n')) ? '' : '\n';
  return replyWith(form, `${note}${body}${end}`, {
    ...(asOfSec !== undefined && { 'x-taba-as-of': asOfSec.toFixed(3) }),
    ...(buckets !== '' && { 'x-taba-missing-buckets': buckets }),
  });
}
