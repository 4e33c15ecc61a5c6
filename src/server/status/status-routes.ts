import { TabaError } from '../../core/errors.js';
import { formOf, replyInForm } from '../../transport/inbound/accept.js';
import type { HttpRequest, Route } from '../../transport/inbound/http.js';
import type { LatencyReport } from '../cluster/latency.js';
import { Parameters } from '../query/parameters.js';
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
    ...query('/status', (request) => replyInForm(formOf(request), options.status(), statusText)),
    ...query('/servers', (request) =>
      replyInForm(formOf(request), options.servers(), (servers) =>
        columns(
          ['server', 'roles'],
          Object.entries(servers).map(([server, roles]) => [server, roles.join(', ')]),
        ),
      ),
    ),
    ...query('/latency', (request) =>
      replyInForm(formOf(request), options.latency(), (latency) =>
        named(Object.entries(latency).map(([name, seconds]) => [name, `${seconds.toFixed(3)} s`])),
      ),
    ),
    route('/healthz', () => ({ status: 200, body: 'ok\n' })),
    route('/readyz', () => {
      const reason = options.notReady();
      if (reason !== undefined) throw new TabaError('unavailable', reason);
      return { status: 200, body: 'ready\n' };
    }),
  ];
}

/** As every query: by GET or POST. */
function query(path: string, handle: Route['handle']): Route[] {
  return [route(path, handle), route(path, handle, 'POST')];
}

function route(path: string, handle: Route['handle'], method: Route['method'] = 'GET'): Route {
  return {
    method,
    path,
    handle(request: HttpRequest) {
      Parameters.of(request, []);
      return handle(request);
    },
  };
}
