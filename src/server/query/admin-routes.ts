import { TabaError } from '../../core/errors.js';
import type { JsonValue } from '../../core/handlers/handler.js';
import type { BucketIndex } from '../../core/ids.js';
import type { Limits } from '../../core/limits.js';
import type { Clock } from '../../runtime/clock.js';
import { formOf, replyInForm } from '../../transport/inbound/accept.js';
import type { HttpReply, HttpRequest, Route } from '../../transport/inbound/http.js';
import { allDone } from '../reduce/administration.js';
import type { Owners } from '../reduce/owners.js';
import { Parameters } from './parameters.js';
import { QueryTurn } from './query-turn.js';
import { selectionOf, selectNames } from './selection.js';

export interface AdminOptions {
  readonly owners: Owners;
  readonly limits: Pick<Limits, 'maxExpressionBytes'>;
  readonly clock: Clock;
  /** Discards pending Blocks and Parts of the buckets, or of all, and counts them as dropped. @returns events */
  discardPending(buckets: readonly BucketIndex[] | undefined): number;
}

const selectBudgetMs = 1_000;

/** Routes that change something: by POST only, so that no link and no image can. `/check` looks only, unless `dry=false`. */
export function adminRoutes(options: AdminOptions): Route[] {
  const { owners } = options;
  const actions: Record<string, (request: HttpRequest) => Promise<Record<string, JsonValue>>> = {
    '/delete': async (request) => {
      const parameters = Parameters.of(request, ['name', 're']);
      if (parameters.text('name') === undefined) throw new TabaError('bad_parameter', '/delete wants a name');
      return { deleted: allDone(await owners.administration.deleteTabs(await named(parameters, options))) };
    },
    '/gc': async (request) => {
      Parameters.of(request, []);
      return { ...allDone(await owners.administration.prune()) };
    },
    '/check': (request) => check(owners, request),
    '/upgrade': async (request) => {
      Parameters.of(request, []);
      return { upgraded: allDone(await owners.administration.upgrade()) };
    },
    '/recompute': async (request) => {
      const parameters = Parameters.of(request, ['name', 're']);
      const tabs = parameters.text('name') === undefined ? undefined : await named(parameters, options);
      return { recomputed: allDone(await owners.administration.recompute(undefined, tabs)) };
    },
    '/flush_all': async (request) => {
      const buckets = bucketsOf(Parameters.of(request, ['buckets']), owners.bucketCount);
      return { dropped: options.discardPending(buckets) };
    },
  };
  const routes = Object.entries(actions).map(
    ([path, act]): Route => ({
      method: 'POST',
      path,
      handle: async (request) => reply(request, await act(request)),
    }),
  );
  return [
    ...routes,
    {
      method: 'GET',
      path: '/check',
      handle: async (request) => reply(request, await check(owners, request)),
    },
  ];
}

async function check(owners: Owners, request: HttpRequest): Promise<Record<string, JsonValue>> {
  const dry = Parameters.of(request, ['dry']).flag('dry', true);
  if (!dry && request.method !== 'POST')
    throw new TabaError('wrong_method', '/check repairs by POST only', { allow: 'POST' });
  const findings = allDone(await owners.administration.check({ repair: !dry }));
  const setAside = allDone(await owners.administration.setAside()).map((item): JsonValue => ({ ...item }));
  return {
    findings: findings.map((finding): JsonValue => ({ ...finding })),
    set_aside: setAside,
    repaired: !dry,
  };
}

async function named(
  parameters: Parameters,
  { owners, limits, clock }: AdminOptions,
): ReturnType<typeof selectNames> {
  const selection = selectionOf(parameters, limits.maxExpressionBytes);
  return selectNames(owners, selection, new QueryTurn(clock, selectBudgetMs));
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

function reply(request: HttpRequest, outcome: Record<string, JsonValue>): HttpReply {
  return replyInForm(formOf(request), outcome, textOf);
}

/** `deleted: 3`, a line each; lists are indented below their name. */
function textOf(outcome: Record<string, JsonValue>): string {
  return Object.entries(outcome)
    .map(([name, value]) => {
      if (!Array.isArray(value)) return `${name}: ${value}\n`;
      return `${name}: ${value.length === 0 ? 'none' : ''}\n${value.map((item) => `  ${JSON.stringify(item)}\n`).join('')}`;
    })
    .join('');
}
