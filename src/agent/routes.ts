import { TabaError } from '../core/errors.js';
import { intakePaths } from '../intake/protocol.js';
import { ProcessMetrics } from '../runtime/process-metrics.js';
import { formOf, replyInForm } from '../transport/inbound/accept.js';
import type { HttpReply, Route } from '../transport/inbound/http.js';
import { metricsRoute } from '../transport/inbound/metrics-route.js';
import { agentFigures } from './figures.js';
import type { Reception } from './reception.js';
import type { Room } from './room.js';
import { type AgentStatus, renderStatus } from './status.js';

export interface RoutesOf {
  readonly reception: Reception;
  readonly room: Room;
  readonly status: () => AgentStatus;
  readonly version: string;
}

/** What an agent answers over HTTP. */
export function agentRoutes({ reception, room, status, version }: RoutesOf): readonly Route[] {
  return [
    ...intakePaths.map(
      (path): Route => ({ method: 'POST', path, handle: (request) => reception.takeBody(path, request) }),
    ),
    {
      method: 'GET',
      path: '/status',
      handle: (request) => replyInForm(formOf(request), status(), renderStatus),
    },
    metricsRoute(
      new ProcessMetrics({
        about: { version, role: 'agent' },
        figures: () => agentFigures(status()),
      }),
    ),
    // Depends on nothing outside this process: a server that is away is no reason to restart an agent.
    { method: 'GET', path: '/healthz', handle: () => text('ok\n') },
    {
      method: 'GET',
      path: '/readyz',
      handle: () => {
        if (reception.stopping) throw new TabaError('stopping', 'the agent is stopping');
        const shortage = room.shortage();
        if (shortage !== undefined)
          throw new TabaError('overloaded', `no room: ${shortage}`, { waiting_for: shortage });
        return text('ready\n');
      },
    },
  ];
}

function text(body: string): HttpReply {
  return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}
