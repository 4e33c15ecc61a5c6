import { TabaError } from '../core/errors.js';
import { intakePaths, intakeProtocols } from '../intake/protocol.js';
import type { Clock } from '../runtime/clock.js';
import { ProcessMetrics } from '../runtime/process-metrics.js';
import { formOf, formTypes, replyInForm } from '../transport/inbound/accept.js';
import type { HttpReply, Route } from '../transport/inbound/http.js';
import { metricsRoute } from '../transport/inbound/metrics-route.js';
import { openApiRoute } from '../transport/inbound/openapi.js';
import { withoutParameters } from '../transport/inbound/parameters.js';
import { agentFigures } from './figures.js';
import type { Reception } from './reception.js';
import type { Room } from './room.js';
import { type AgentStatus, renderStatus } from './status.js';

export interface RoutesOf {
  readonly reception: Reception;
  readonly room: Room;
  readonly status: () => AgentStatus;
  /** Why something that this agent is for does not reach it. */
  readonly trouble: () => string | undefined;
  readonly version: string;
  readonly clock: Clock;
}

/** What an agent answers over HTTP. */
export function agentRoutes({
  reception,
  room,
  status,
  trouble,
  version,
  clock,
}: RoutesOf): readonly Route[] {
  const routes = [
    ...intakePaths.map(
      (path): Route => ({
        method: 'POST',
        path,
        doc: intakeProtocols[path].doc,
        handle: (request) => reception.takeBody(path, request),
      }),
    ),
    withoutParameters({
      method: 'GET',
      path: '/status',
      doc: { summary: 'What this agent does, and what it holds', gives: formTypes },
      handle: (request) => replyInForm(formOf(request), status(), renderStatus),
    }),
    metricsRoute(
      new ProcessMetrics({
        clock,
        about: { version, role: 'agent' },
        figures: () => agentFigures(status()),
      }),
    ),
    // Depends on nothing outside this process: a server that is away is no reason to restart an agent.
    withoutParameters({
      method: 'GET',
      path: '/healthz',
      doc: { summary: 'Whether this process lives', gives: ['text/plain'] },
      handle: () => text('ok\n'),
    }),
    withoutParameters({
      method: 'GET',
      path: '/readyz',
      doc: { summary: 'Whether this agent should get events', gives: ['text/plain'] },
      handle: () => {
        if (reception.stopping) throw new TabaError('stopping', 'the agent is stopping');
        const shortage = room.shortage();
        if (shortage !== undefined)
          throw new TabaError('overloaded', `no room: ${shortage}`, { waiting_for: shortage });
        const reason = trouble();
        if (reason !== undefined) throw new TabaError('unavailable', reason);
        return text('ready\n');
      },
    }),
  ];
  return [...routes, openApiRoute(routes, { title: 'Taba agent', version })];
}

function text(body: string): HttpReply {
  return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}
