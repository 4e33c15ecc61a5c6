import { type ErrorCode, TabaError } from '../../core/errors.js';
import type { Handler } from '../../core/handlers/handler.js';
import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { ClientId, TabName, TabType } from '../../core/ids.js';
import type { Limits } from '../../core/limits.js';
import { decimalOf } from '../../wire/statsd/decimal.js';
import type { MetricKind, MetricName } from '../../wire/statsd/metric.js';
import type { DenyLists } from '../deny-lists.js';
import type { Mapping } from '../mapping/mapping.js';

interface Known {
  readonly signIsChange: boolean;
  /** Members of a set that are numbers are taken as such. */
  readonly takesNumbers: boolean;
}

/** What becomes of the events of one series: worked out once, when it comes for the first time. */
export type Series = Known &
  (
    | {
        /** `numbers`: gathered in columns; `events`: folded one by one. */
        readonly use: 'numbers' | 'events';
        readonly tab: TabName;
        readonly type: TabType;
        readonly handler: Handler;
        readonly isGauge: boolean;
        /** Numbers are handed to the Handler as text. */
        readonly takesText: boolean;
      }
    | { readonly use: 'drop'; readonly tab: undefined }
    | {
        readonly use: 'refuse';
        readonly tab: undefined;
        readonly code: ErrorCode;
        readonly message: string;
      }
  );

export interface SeriesContext {
  readonly registry: HandlerRegistry;
  readonly limits: Pick<Limits, 'maxNameBytes'>;
  readonly client: ClientId;
  readonly deny: DenyLists;
}

const ofStrings: ReadonlySet<string> = new Set(['UniqueCounter']);

export function seriesOf(
  kind: MetricKind,
  name: MetricName,
  mapping: Mapping,
  { registry, limits, client, deny }: SeriesContext,
): Series {
  try {
    const { tab, type, signIsChange } = mapping.map(kind, name, limits.maxNameBytes);
    if (tab === undefined) return { use: 'drop', tab, signIsChange, takesNumbers: false };
    if (deny.deniesTab(tab)) throw new TabaError('denied', `${tab} is on the deny-list of this node`);
    if (deny.deniesClient(client)) throw new TabaError('denied', `the client ${client} is on the deny-list`);
    const handler = registry.get(type);
    if (handler === undefined) throw new TabaError('unknown_type', `no handler for the tab type ${type}`);
    const takesText = ofStrings.has(type);
    return {
      use: handler.foldGathered !== undefined && kind !== 's' ? 'numbers' : 'events',
      ...{ tab, type, handler, signIsChange, takesText },
      isGauge: kind === 'g',
      takesNumbers: !takesText && type !== 'Gauge',
    };
  } catch (error) {
    if (!(error instanceof TabaError)) throw error;
    return refused(error);
  }
}

/** A member of a set as a Handler gets it. */
export function payloadOfMember(
  { takesNumbers }: Series,
  bytes: Uint8Array,
  start: number,
  end: number,
): number | string {
  const number = takesNumbers ? decimalOf(bytes, start, end) : Number.NaN;
  if (!Number.isNaN(number)) return number;
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
}

function refused({ code, message }: TabaError): Series {
  return { use: 'refuse', tab: undefined, code, message, signIsChange: false, takesNumbers: false };
}
