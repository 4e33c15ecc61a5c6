import { statsdFigures } from '../../intake/statsd/figures.js';
import { by, figuresNamed, type ProcessFigure } from '../../runtime/process-metrics.js';
import type { ServerStatus } from '../status/status.js';

const { counter, gauge } = figuresNamed('taba_server');

/** What a server tells Prometheus about itself: its status, as far as it is numbers of its own. */
export function serverFigures(status: ServerStatus): ProcessFigure[] {
  const { books, owners, store, checkpoint, latency } = status;
  return [
    counter('events_received', 'Events that came in here from outside of the cluster.', books.received),
    counter('events_applied', 'Of these, events that were counted.', books.applied),
    counter('events_rejected', 'Of these, events that were refused.', by('reason', books.rejected)),
    counter('events_dropped', 'Of these, events that were lost.', by('reason', books.dropped)),
    gauge('events_buffered', 'Of these, events that wait.', books.buffered),
    gauge(
      'books_balance',
      'Received events that are in none of the others: 0, or there is a defect.',
      books.balance,
    ),
    counter('owned_events_applied', 'Events that the owners of buckets here counted.', owners.applied),
    gauge('owners_balance', 'As books_balance, of the owners of buckets.', owners.balance),
    gauge('buckets', 'Buckets that are held here.', by('state', status.buckets)),
    gauge('tabs', 'Tabs of the buckets that are held here.', status.tabs),
    gauge('clients', 'Clients of the buckets that are held here.', status.clients),
    gauge('producers', 'Producers that the buckets remember.', status.producers),
    gauge('states_in_memory', 'States that are in memory.', status.states_in_memory),
    gauge('dirty_buckets', 'Buckets with something to be written down.', status.dirty_buckets),
    gauge('accepting', 'Whether raw events are taken: 1 or 0.', status.accepting ? 1 : 0),
    gauge('connections', 'Connections over HTTP and WebSocket.', status.connections),
    gauge('agents', 'Agents and servers that are connected.', status.agents),
    gauge(
      'definition_bytes',
      'What the definitions of tabs take up over all connections.',
      status.definition_bytes,
    ),
    gauge(
      'latency_seconds',
      'How late events are, over the whole cluster.',
      by('stage', {
        enqueue: latency.enqueue_avg,
        processed: latency.processed_avg,
        cluster: latency.cluster_aggregate,
      }),
    ),
    counter('checkpoints', 'Rounds of writing changed States down.', checkpoint.rounds),
    gauge('checkpoint_duration_seconds', 'How long the latest round took.', checkpoint.took_sec),
    gauge('journal_entries', 'Entries of the journal that no page has yet.', store.journal_entries),
    gauge('store_bytes', 'Size of the store on disk, as far as it is known.', store.bytes_on_disk),
    gauge(
      'store_waiting',
      'Whether the store cannot be reached or written: 1 or 0.',
      store.waiting_for === null ? 0 : 1,
    ),
    counter(
      'clamped_timestamps',
      'Events from the future that were moved to the present.',
      status.clamped_timestamps,
    ),
    ...(status.statsd === null ? [] : statsdFigures('taba_server', status.statsd)),
  ];
}
