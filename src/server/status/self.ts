import { totalOf } from '../../intake/counts.js';
import type { SelfReport } from '../../intake/self-metrics.js';
import type { ServerStatus } from './status.js';

/**
 * What a server tells about itself.
 *
 * @param ownEvents events that came from here: they are not counted again
 */
export function selfReport(status: ServerStatus, ownEvents: number): SelfReport {
  const { books, latency, max_age: ageSec } = status;
  return {
    totals: {
      taba_events_received: books.received - ownEvents,
      taba_events_rejected: totalOf(books.rejected),
      taba_events_dropped: totalOf(books.dropped),
    },
    samples: [
      ['taba_latency_enqueue_sec', latency.enqueue_avg],
      ['taba_latency_processed_sec', latency.processed_avg],
      ['taba_latency_task_in_queue_ms', ageSec * 1000],
    ],
  };
}
