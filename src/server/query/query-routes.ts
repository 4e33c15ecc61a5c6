import { TabaError } from '../../core/errors.js';
import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { Limits } from '../../core/limits.js';
import type { Clock } from '../../runtime/clock.js';
import { detailedTypes, formOf } from '../../transport/inbound/accept.js';
import type { HttpReply, HttpRequest, Route } from '../../transport/inbound/http.js';
import { Parameters } from '../../transport/inbound/parameters.js';
import { keyed, keyedByClient, listed, single, type Wording } from './answers.js';
import type { Subject } from './ask.js';
import type { Gather, Gathered } from './gather.js';
import { handlerOf } from './handler-of.js';
import { QueryTurn } from './query-turn.js';
import { rendered, written } from './renderings.js';
import { partialParameter, selectionOf, selectionParameters } from './selection.js';

export interface QueryOptions {
  readonly gather: Gather;
  readonly registry: HandlerRegistry;
  readonly limits: Pick<Limits, 'maxResultBytes' | 'maxExpressionBytes'>;
  readonly clock: Clock;
  /** The present for which queries answer, seconds UTC: put back by how late events arrive. */
  presentSec(): number;
}

/** What an answer is made with. */
interface Worker {
  readonly registry: HandlerRegistry;
  readonly turn: QueryTurn;
}

/** How long writing an answer may take, which its size bounds as well. */
const writeBudgetMs = 30_000;

interface QueryRoute {
  readonly summary: string;
  readonly subject: Subject;
  /** Whether the answer is about a moment: windows move, names do not. */
  readonly isTimed: boolean;
  answer(gathered: Gathered, wording: Wording, worker: Worker): HttpReply | Promise<HttpReply>;
}

const routes: Readonly<Record<string, QueryRoute>> = {
  '/tabs': {
    summary: 'Tabs, each over all clients or those that are named',
    subject: 'aggregates',
    isTimed: true,
    answer: ({ rows }, wording, { turn }) => keyed(rows, wording, turn),
  },
  '/projection': {
    summary: 'Tabs by client',
    subject: 'projections',
    isTimed: true,
    answer: ({ rows }, wording, { turn }) => keyedByClient(rows, wording, turn),
  },
  '/supertabs': {
    summary: 'One aggregate over several tabs of one type',
    subject: 'sum',
    isTimed: true,
    answer: superAggregate,
  },
  '/names': {
    summary: 'Names of tabs',
    subject: 'tabs',
    isTimed: false,
    answer: ({ rows }, wording, { turn }) => listed(firstOf(rows), wording, turn),
  },
  '/clients': {
    summary: 'Ids of clients',
    subject: 'clients',
    isTimed: false,
    answer: ({ rows }, wording, { turn }) => listed(firstOf(rows), wording, turn),
  },
  '/types': {
    summary: 'Tabs and their types',
    subject: 'tabs',
    isTimed: false,
    answer({ rows }, wording, { turn }) {
      const isText = wording.form === 'text';
      return keyed(isText ? rows : rows.map(([tab, type]) => [tab!, JSON.stringify(type)]), wording, turn);
    },
  },
};

const queryParameters = {
  ...selectionParameters,
  raw: { type: 'flag', description: 'everything that the States hold, as application/json-detailed does' },
  ...partialParameter,
} as const;

/** Routes that only look: by GET, or by POST with a form where a selection is too long for a URL. */
export function queryRoutes(options: QueryOptions): Route[] {
  return Object.entries(routes).flatMap(([path, route]) => {
    const handle = (request: HttpRequest): Promise<HttpReply> => answer(request, route, options);
    const doc = { summary: route.summary, parameters: queryParameters, gives: detailedTypes };
    return [
      { method: 'GET', path, doc, handle },
      { method: 'POST', path, doc, handle },
    ] satisfies Route[];
  });
}

async function answer(
  request: HttpRequest,
  { subject, isTimed, answer }: QueryRoute,
  { gather, registry, limits, clock, presentSec }: QueryOptions,
): Promise<HttpReply> {
  const parameters = Parameters.of(request, queryParameters);
  const selection = selectionOf(parameters, limits.maxExpressionBytes);
  const form = parameters.flag('raw', false) ? 'detailed' : formOf(request);
  const nowSec = presentSec();
  const maxBytes = limits.maxResultBytes;
  const gathered = await gather.gather({
    ...{ ...selection, subject, form, nowSec, maxBytes },
    partial: parameters.flag('partial', false),
    asker: request,
  });
  const { missing } = gathered;
  const turn = new QueryTurn(clock, writeBudgetMs, request);
  const wording = { form, missing, maxBytes, ...(isTimed && { asOfSec: nowSec }) };
  return answer(gathered, wording, { registry, turn });
}

/** @throws TabaError `unknown_tab`, `mixed_types` naming the types */
function superAggregate({ types, sum }: Gathered, wording: Wording, { registry }: Worker): HttpReply {
  const [type] = types;
  if (type === undefined) throw new TabaError('unknown_tab', 'no tab matches');
  if (types.length > 1) {
    const all = types.join(', ');
    throw new TabaError('mixed_types', `the tabs are of types ${all}; a super-aggregate takes one`, {
      types,
    });
  }
  const handler = handlerOf(type, registry);
  const { form, asOfSec = 0 } = wording;
  const showing = { clients: 'all', form, view: { nowSec: asOfSec } } as const;
  return single(written(rendered(handler, sum ?? handler.newState(), showing), form), wording);
}

function firstOf(rows: readonly (readonly string[])[]): string[] {
  return rows.map(([first]) => first!);
}
