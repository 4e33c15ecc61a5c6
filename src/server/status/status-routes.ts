import { TabaError } from '../../core/errors.js';
import { formOf, formTypes, replyInForm } from '../../transport/inbound/accept.js';
import type { Route, RouteDoc } from '../../transport/inbound/http.js';
import { withoutParameters } from '../../transport/inbound/parameters.js';
import type { LatencyReport } from '../cluster/latency.js';
import { columns, named } from './columns.js';
import type { ServerStatus } from './status.js';
import { statusText } from './status-text.js';

export interface StatusRoutesOptions {
  status(): ServerStatus;
  /** Address and roles of each server. */
  servers(): Readonly<Record<string, readonly string[]>>;
  latency(): LatencyReport;
  /** Why this node should get nothing at the moment, or undefined. */
  notReady(): string | undefined;
}

/** How this node and its cluster are doing. */
export function statusRoutes(options: StatusRoutesOptions): Route[] {
  return [
    ...query('/status', 'The cluster as this server knows it, and this server', (request) =>
      replyInForm(formOf(request), options.status(), statusText),
    ),
    ...query('/servers', 'Servers and their roles', (request) =>
      replyInForm(formOf(request), options.servers(), (servers) =>
        columns(
          ['server', 'roles'],
          Object.entries(servers).map(([server, roles]) => [server, roles.join(', ')]),
        ),
      ),
    ),
    ...query('/latency', 'How late events are, over the whole cluster', (request) =>
      replyInForm(formOf(request), options.latency(), (latency) =>
        named(Object.entries(latency).map(([name, seconds]) => [name, `${seconds.toFixed(3)} s`])),
      ),
    ),
    route('/healthz', { summary: 'Whether this process lives', gives: plain }, () => ({
      status: 200,
      body: 'ok\n',
    })),
    route('/readyz', { summary: 'Whether this server should get anything', gives: plain }, () => {
      const reason = options.notReady();
      if (reason !== undefined) throw new TabaError('unavailable', reason);
      return { status: 200, body: 'ready\n' };
    }),
  ];
}

const plain = ['text/plain'];

/** As every query: by GET or POST. */
function query(path: string, summary: string, handle: Route['handle']): Route[] {
  const doc = { summary, gives: formTypes };
  return [route(path, doc, handle), route(path, doc, handle, 'POST')];
}

function route(path: string, doc: RouteDoc, handle: Route['handle'], method: Route['method'] = 'GET'): Route {
  return withoutParameters({ method, path, doc, handle });
}
