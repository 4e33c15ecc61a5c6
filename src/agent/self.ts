import { totalOf } from '../intake/counts.js';
import type { SelfReport } from '../intake/self-metrics.js';
import type { AgentStatus } from './status.js';

/**
 * What an agent tells about itself.
 *
 * @param ownEvents events that came from here: they are not counted again
 */
export function selfReport(status: AgentStatus, ownEvents: number): SelfReport {
  const { books, servers } = status;
  return {
    totals: {
      taba_agent_events_received: books.received - ownEvents,
      taba_agent_events_rejected: totalOf(books.rejected),
      taba_agent_events_dropped: totalOf(books.dropped),
      taba_agent_requests: status.requests,
      taba_agent_requests_refused: status.refused_bodies,
    },
    samples: [
      ['taba_agent_events_buffered', books.buffered],
      ...servers.flatMap(({ latency_ms: latencyMs }) =>
        latencyMs === null ? [] : [['taba_agent_ack_latency_ms', latencyMs] as const],
      ),
    ],
  };
}
