import type { RenderForm } from '../../core/handlers/handler.js';
import type { BucketIndex } from '../../core/ids.js';
import { replyWith } from '../../transport/inbound/accept.js';
import type { HttpReply } from '../../transport/inbound/http.js';
import { AnswerBody } from './answer-body.js';
import { bucketRanges } from './bucket-ranges.js';
import type { QueryTurn } from './query-turn.js';
import { orderOf } from './sorted.js';

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

/** `[key, rendering]`, each key once: an object, or a line each. */
export async function keyed(rows: readonly Row[], wording: Wording, turn: QueryTurn): Promise<HttpReply> {
  const body = new AnswerBody(wording.maxBytes);
  const isText = wording.form === 'text';
  const members = isText ? undefined : new Members(body, wording);
  const keys = rows.map(([key]) => key!);
  await each(keys, turn, (place) => {
    const [key, rendering] = rows[place]!;
    if (members === undefined) body.add(`${key}: ${rendering}\n`);
    else members.add(key!, rendering!);
  });
  members?.end();
  return reply(body, wording);
}

/** `[tab, client, rendering]`: an object of each client, as the first Taba answers; or a line each. */
export async function keyedByClient(
  rows: readonly Row[],
  wording: Wording,
  turn: QueryTurn,
): Promise<HttpReply> {
  const body = new AnswerBody(wording.maxBytes);
  // No name has a line feed, and none of their characters comes before it.
  if (wording.form === 'text') {
    const keys = rows.map(([tab, client]) => `${tab}\n${client}`);
    await each(keys, turn, (place) => {
      const [tab, client, text] = rows[place]!;
      body.add(`(${tab}, ${client}): ${text}\n`);
    });
    return reply(body, wording);
  }
  const keys = rows.map(([tab, client]) => `${client}\n${tab}`);
  const clients = new Members(body, wording);
  let tabs: Members | undefined;
  let clientOfTabs: string | undefined;
  await each(keys, turn, (place) => {
    const [tab, client, rendering] = rows[place]!;
    if (tabs === undefined || client !== clientOfTabs) {
      tabs?.end();
      clients.begin(client!);
      tabs = new Members(body);
      clientOfTabs = client;
    }
    tabs.add(tab!, rendering!);
  });
  tabs?.end();
  clients.end();
  return reply(body, wording);
}

/** Texts, in their order: an array, or a line each. */
export async function listed(
  texts: readonly string[],
  wording: Wording,
  turn: QueryTurn,
): Promise<HttpReply> {
  const body = new AnswerBody(wording.maxBytes);
  const isText = wording.form === 'text';
  let before = '[';
  await each(texts, turn, (place) => {
    const text = texts[place]!;
    body.add(isText ? `${text}\n` : `${before}"${text}"`);
    before = ',';
  });
  if (!isText) body.add(before === '[' ? '[]' : ']');
  return reply(body, wording);
}

/** One rendering; in the detailed form an object, so that it can be marked. */
export function single(rendering: string, wording: Wording): HttpReply {
  const { form, missing } = wording;
  const body = new AnswerBody(wording.maxBytes);
  const isMarked = form === 'detailed' && missing.length > 0;
  body.add(isMarked ? `{${mark(missing)},\n${rendering.slice(1)}` : rendering);
  return reply(body, wording, form === 'text' && (rendering === '' || rendering.endsWith('\n')));
}

/** Goes through the places of keys in the order of these. Of a key that is there several times, the last place counts. */
async function each(keys: readonly string[], turn: QueryTurn, visit: (place: number) => void): Promise<void> {
  const order = await orderOf(keys, turn);
  for (let at = 0; at < order.length; at++) {
    const place = order[at]!;
    if (at + 1 < order.length && keys[order[at + 1]!] === keys[place]) continue;
    visit(place);
    if (turn.isOver) await turn.next();
  }
}

/** The members of an object, a line each, while they are written. */
class Members {
  readonly #body: AnswerBody;
  #before = '{';

  /** @param wording of the whole answer, whose mark goes first */
  constructor(body: AnswerBody, wording?: Wording) {
    this.#body = body;
    if (wording?.form !== 'detailed' || wording.missing.length === 0) return;
    body.add(`{${mark(wording.missing)}`);
    this.#before = ',\n';
  }

  /** @param key a name, none of whose characters JSON escapes @param value as JSON */
  add(key: string, value: string): void {
    this.#body.add(`${this.#before}"${key}": ${value}`);
    this.#before = ',\n';
  }

  /** A member whose value is to follow. */
  begin(key: string): void {
    this.add(key, '');
  }

  end(): void {
    this.#body.add(this.#before === '{' ? '{}' : '}');
  }
}

function mark(missing: readonly BucketIndex[]): string {
  return `${JSON.stringify(missingKey)}: ${JSON.stringify(bucketRanges(missing))}`;
}

/** @param isEnded whether the text ends with its line: those of lists do, JSON never does */
function reply(body: AnswerBody, { form, asOfSec, missing }: Wording, isEnded = form === 'text'): HttpReply {
  const buckets = bucketRanges(missing);
  const note =
    form === 'text' && buckets !== '' ? `# partial: nothing of buckets ${buckets} is in this answer\n` : '';
  return replyWith(form, body.finish(note, isEnded ? '' : '\n'), {
    ...(asOfSec !== undefined && { 'x-taba-as-of': asOfSec.toFixed(3) }),
    ...(buckets !== '' && { 'x-taba-missing-buckets': buckets }),
  });
}
