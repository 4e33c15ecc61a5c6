import { statsdFigures } from '../intake/statsd/figures.js';
import { by, figuresNamed, type ProcessFigure } from '../runtime/process-metrics.js';
import type { AgentStatus } from './status.js';

const { counter, gauge } = figuresNamed('taba_agent');

/** What an agent tells Prometheus about itself: its status, as far as it is numbers. */
export function agentFigures(status: AgentStatus): ProcessFigure[] {
  const { books, servers, spool, statsd, mirror } = status;
  return [
    counter('events_received', 'Events that came in.', books.received),
    counter('events_delivered', 'Of these, events that servers have acknowledged.', books.delivered),
    counter('events_rejected', 'Of these, events that were refused.', by('reason', books.rejected)),
    counter('events_dropped', 'Of these, events that were lost.', by('reason', books.dropped)),
    gauge('events_buffered', 'Of these, events that wait.', books.buffered),
    gauge(
      'books_balance',
      'Received events that are in none of the others: 0, or there is a defect.',
      books.balance,
    ),
    counter('requests', 'Bodies and flushes that came in.', status.requests),
    counter('requests_refused', 'Of these, those of which nothing was taken.', status.refused_bodies),
    gauge('accepting', 'Whether events are taken: 1 or 0.', status.accepting ? 1 : 0),
    gauge('connections', 'Connections over HTTP and WebSocket.', status.connections),
    gauge(
      'definition_bytes',
      'What the definitions of tabs take up over all connections.',
      status.definition_bytes,
    ),
    gauge('open_blocks', 'Blocks that no server has acknowledged yet.', status.open_blocks),
    gauge('buffered_pairs', 'Pairs of tab and client that are gathered.', status.buffered_pairs),
    gauge('known_tabs', 'Tabs that came in lately.', status.known_tabs),
    gauge('known_clients', 'Clients that came in lately.', status.known_clients),
    gauge('servers', 'Servers that are known.', by('state', countOf(servers.map(({ state }) => state)))),
    counter(
      'clamped_timestamps',
      'Events from the future that were moved to the present.',
      status.clamped_timestamps,
    ),
    ...(spool === null
      ? []
      : [
          gauge('spool_bytes', 'Size of the spool.', spool.bytes),
          gauge(
            'spool_waiting',
            'Whether the spool cannot be written: 1 or 0.',
            spool.waiting_for === null ? 0 : 1,
          ),
        ]),
    ...(statsd === null ? [] : statsdFigures('taba_agent', statsd)),
    ...(mirror === null
      ? []
      : [
          counter(
            'mirror_events_delivered',
            'Events that the mirror has acknowledged.',
            mirror.books.delivered,
          ),
          gauge('mirror_events_buffered', 'Events that wait for the mirror.', mirror.books.buffered),
        ]),
  ];
}

function countOf(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
