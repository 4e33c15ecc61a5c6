import { TabaError } from '../../core/errors.js';
import type { Figures } from '../../core/handlers/figures.js';
import type { Limits } from '../../core/limits.js';
import { counterLayout } from '../../core/window/layout.js';
import type { HttpReply, HttpRequest, ParameterDoc, Route } from '../../transport/inbound/http.js';
import { Parameters } from '../../transport/inbound/parameters.js';
import { bucketRanges } from '../query/bucket-ranges.js';
import type { Gather } from '../query/gather.js';
import { partialParameter, selectionOf, selectionParameters } from '../query/selection.js';
import { contentTypes, Exposition, formatOf } from './exposition.js';
import { allTime, type TabFigures, tabFamilies } from './tab-families.js';

export interface TabMetricsOptions {
  readonly gather: Gather;
  readonly limits: Pick<Limits, 'maxResultBytes' | 'maxExpressionBytes'>;
  /** The present for which queries answer, seconds UTC. */
  presentSec(): number;
}

const familyKeys = [...new Set(tabFamilies.map(({ key }) => key))];
const windowNames = [...counterLayout.map(({ label }) => label), allTime];

const metricsParameters = {
  ...selectionParameters,
  family: {
    type: 'text',
    description: `families of series, comma-separated, of ${familyKeys.join(', ')}; all by default`,
  },
  window: {
    type: 'text',
    description: `windows, comma-separated, of ${windowNames.join(', ')}; all by default`,
  },
  ...partialParameter,
} as const satisfies Record<string, ParameterDoc>;

/** Tabs of the whole cluster as series of Prometheus: any server answers for all, so that one of them is scraped. */
export function tabMetricsRoute(options: TabMetricsOptions): Route {
  return {
    method: 'GET',
    path: '/metrics/tabs',
    doc: {
      summary: 'Tabs of the whole cluster, for Prometheus',
      parameters: metricsParameters,
      gives: Object.values(contentTypes).map((type) => type.split(';')[0]!),
    },
    handle: (request) => answer(request, options),
  };
}

async function answer(
  request: HttpRequest,
  { gather, limits, presentSec }: TabMetricsOptions,
): Promise<HttpReply> {
  const parameters = Parameters.of(request, metricsParameters);
  const families = chosen(parameters, 'family', familyKeys);
  const windows = chosen(parameters, 'window', windowNames);
  const nowSec = presentSec();
  const { rows, missing } = await gather.gather({
    ...selectionOf(parameters, limits.maxExpressionBytes),
    ...{ subject: 'figures', form: 'json', nowSec, maxBytes: limits.maxResultBytes },
    partial: parameters.flag('partial', false),
    asker: request,
  });
  const format = formatOf(request.headers.get('accept'));
  const exposition = new Exposition(format, limits.maxResultBytes);
  const tabs = tabsOf(rows);
  for (const family of tabFamilies) {
    if (!families.has(family.key)) continue;
    exposition.add(
      family,
      samples(tabs, (tab) => family.samples(tab, windows)),
    );
  }
  const buckets = bucketRanges(missing);
  return {
    status: 200,
    headers: {
      'content-type': contentTypes[format],
      'x-taba-as-of': nowSec.toFixed(3),
      ...(buckets !== '' && { 'x-taba-missing-buckets': buckets }),
    },
    body: exposition.end(),
  };
}

/** @throws TabaError `bad_parameter`, naming what there is */
function chosen(parameters: Parameters, name: string, known: readonly string[]): ReadonlySet<string> {
  const wanted = parameters.list(name) ?? known;
  const unknown = wanted.find((item) => !known.includes(item));
  if (unknown === undefined) return new Set(wanted);
  throw new TabaError(
    'bad_parameter',
    `parameter ${name}: ${JSON.stringify(unknown)} is none of ${known.join(', ')}`,
  );
}

/** In the order of their names: series that keep their place are cheaper to scrape and to compare. */
function tabsOf(rows: readonly (readonly string[])[]): TabFigures[] {
  const sorted = [...rows].sort(([left], [right]) => (left! < right! ? -1 : 1));
  return sorted.map(([tab, type, figures]) => ({
    labels: [
      ['tab', tab!],
      ['type', type!],
    ],
    figures: JSON.parse(figures!) as Figures,
  }));
}

function* samples<T, S>(tabs: readonly T[], of: (tab: T) => Iterable<S>): Generator<S> {
  for (const tab of tabs) yield* of(tab);
}
