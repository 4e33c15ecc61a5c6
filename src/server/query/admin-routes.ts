import { TabaError } from '../../core/errors.js';
import type { JsonValue } from '../../core/handlers/handler.js';
import type { BucketIndex } from '../../core/ids.js';
import type { Limits } from '../../core/limits.js';
import type { Store } from '../../storage/store.js';
import { formOf, formTypes, replyInForm } from '../../transport/inbound/accept.js';
import type { HttpRequest, ParameterDoc, Route } from '../../transport/inbound/http.js';
import { Parameters } from '../../transport/inbound/parameters.js';
import type { Undone } from '../reduce/administration.js';
import { bucketRanges } from './bucket-ranges.js';
import type { ChoreDone } from './chore.js';
import type { Everywhere } from './everywhere.js';
import type { Gather } from './gather.js';
import { selectionOf, tabParameters } from './selection.js';

export interface AdminOptions {
  readonly everywhere: Everywhere;
  /** Which tabs a selection means. */
  readonly gather: Gather;
  readonly store: Pick<Store, 'examine'>;
  readonly bucketCount: number;
  readonly limits: Pick<Limits, 'maxExpressionBytes' | 'maxResultBytes'>;
}

type Outcome = Readonly<Record<string, JsonValue>>;

interface Action {
  readonly summary: string;
  readonly parameters: Readonly<Record<string, ParameterDoc>>;
  act(parameters: Parameters, request: HttpRequest, options: AdminOptions): Promise<Outcome>;
}

const actions: Readonly<Record<string, Action>> = {
  '/delete': {
    summary: 'Deletes tabs with all that belongs to them',
    parameters: tabParameters,
    async act(parameters, request, options) {
      if (parameters.text('name') === undefined) throw new TabaError('bad_parameter', '/delete wants a name');
      const tabs = await namesOf(request, parameters, options);
      return counted(await options.everywhere.work({ work: 'delete', tabs }), { deleted: 0 });
    },
  },
  '/gc': {
    summary: 'Forgets tabs, clients and producers that have been silent for long',
    parameters: {},
    act: async (_, __, { everywhere }) =>
      counted(await everywhere.work({ work: 'prune' }), { tabs: 0, clients: 0, producers: 0 }),
  },
  '/upgrade': {
    summary: 'Writes States anew that an older version wrote',
    parameters: {},
    act: async (_, __, { everywhere }) =>
      counted(await everywhere.work({ work: 'upgrade' }), { upgraded: 0 }),
  },
  '/recompute': {
    summary: 'Makes the States over all clients anew of those of the clients',
    parameters: tabParameters,
    async act(parameters, request, options) {
      const isAll = parameters.text('name') === undefined;
      const tabs = isAll ? undefined : await namesOf(request, parameters, options);
      return counted(await options.everywhere.work({ work: 'recompute', tabs }), { recomputed: 0 });
    },
  },
  '/flush_all': {
    summary: 'Gives up what waits in the servers for the owners of buckets',
    parameters: {
      buckets: { type: 'text', description: 'numbers of buckets, comma-separated; all by default' },
    },
    async act(parameters, _, { everywhere, bucketCount }) {
      const { dropped, unreached } = await everywhere.discard(bucketsOf(parameters, bucketCount));
      if (unreached.length === 0) return { dropped };
      const message = `not discarded by ${unreached.join('; ')}`;
      throw new TabaError('unavailable', message, { done: { dropped } });
    },
  },
  '/check': {
    summary: 'Looks for what cannot be right in what is stored',
    parameters: { dry: { type: 'flag', description: 'false: repairs what is found, by POST only' } },
    act: check,
  },
};

/** Routes that change something: by POST only, so that no link and no image can. `/check` looks only, unless `dry=false`. */
export function adminRoutes(options: AdminOptions): Route[] {
  const routes = Object.entries(actions).map(
    ([path, { summary, parameters, act }]): Route => ({
      method: 'POST',
      path,
      doc: { summary, parameters, gives: formTypes },
      async handle(request) {
        const outcome = await act(Parameters.of(request, parameters), request, options);
        return replyInForm(formOf(request), outcome, textOf);
      },
    }),
  );
  const look = routes.find(({ path }) => path === '/check')!;
  return [...routes, { ...look, method: 'GET' }];
}

/** The States, by whoever holds them, and the store as a whole once. */
async function check(
  parameters: Parameters,
  request: HttpRequest,
  { everywhere, store }: AdminOptions,
): Promise<Outcome> {
  const dry = parameters.flag('dry', true);
  if (!dry && request.method !== 'POST')
    throw new TabaError('wrong_method', '/check repairs by POST only', { allow: 'POST' });
  const done = await everywhere.work({ work: 'check', repair: !dry });
  const stored = (await store.examine?.({ repair: !dry })) ?? [];
  const outcome = {
    findings: [...stored.map((finding): JsonValue => ({ ...finding })), ...inOrder(done.findings)],
    set_aside: inOrder(done.setAside),
    repaired: !dry,
  };
  return complete(done, outcome);
}

function inOrder(texts: readonly string[]): JsonValue[] {
  const items = texts.map((text) => JSON.parse(text) as { readonly bucket: number } & JsonValue);
  return items.sort((a, b) => a.bucket - b.bucket);
}

/** @param none what is answered where there was nothing to do anywhere */
function counted(done: ChoreDone, none: Readonly<Record<string, number>>): Outcome {
  return complete(done, { ...none, ...done.counts });
}

/** @throws TabaError `unavailable`, naming the buckets where it was not done, with the reasons, and what was done elsewhere */
function complete({ undone }: ChoreDone, outcome: Outcome): Outcome {
  if (undone.length === 0) return outcome;
  const buckets = bucketRanges(undone.map(({ bucket }) => bucket));
  const message = `not done in bucket${undone.length > 1 ? 's' : ''} ${buckets}: ${undone[0]?.reason}`;
  throw new TabaError('unavailable', message, { buckets, reasons: byReason(undone), done: outcome });
}

function byReason(undone: readonly Undone[]): Record<string, string> {
  const byText = new Map<string, BucketIndex[]>();
  for (const { bucket, reason } of undone) {
    const known = byText.get(reason);
    if (known === undefined) byText.set(reason, [bucket]);
    else known.push(bucket);
  }
  return Object.fromEntries([...byText].map(([reason, buckets]) => [reason, bucketRanges(buckets)]));
}

/** The tabs that a request means. @throws TabaError `unknown_tab`, `unavailable` */
async function namesOf(
  asker: HttpRequest,
  parameters: Parameters,
  { gather, limits }: AdminOptions,
): Promise<string[]> {
  const selection = selectionOf(parameters, limits.maxExpressionBytes);
  const { rows } = await gather.gather({
    ...{ ...selection, asker, subject: 'tabs', form: 'json', nowSec: 0, partial: false },
    maxBytes: limits.maxResultBytes,
  });
  return rows.map(([tab]) => tab!);
}

function bucketsOf(parameters: Parameters, bucketCount: number): BucketIndex[] | undefined {
  return parameters.list('buckets')?.map((text) => {
    const bucket = Number(text);
    if (/^\d+$/.test(text) && bucket < bucketCount) return bucket as BucketIndex;
    throw new TabaError(
      'bad_parameter',
      `buckets: ${JSON.stringify(text)} is not a bucket from 0 to ${bucketCount - 1}`,
    );
  });
}

/** `deleted: 3`, a line each; lists are indented below their name. */
function textOf(outcome: Outcome): string {
  return Object.entries(outcome)
    .map(([name, value]) => {
      if (!Array.isArray(value)) return `${name}: ${value}\n`;
      return `${name}: ${value.length === 0 ? 'none' : ''}\n${value.map((item) => `  ${JSON.stringify(item)}\n`).join('')}`;
    })
    .join('');
}
