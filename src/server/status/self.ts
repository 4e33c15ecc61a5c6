import { totalOf } from '../../intake/counts.js';
import type { SelfReport } from '../../intake/self-metrics.js';
import type { MemberReport } from './report.js';

/**
 * What a server tells about itself.
 *
 * @param ownEvents events that came from here: they are not counted again
 */
export function selfReport(report: MemberReport, ownEvents: number): SelfReport {
  const { books } = report;
  return {
    totals: {
      taba_events_received: books.received - ownEvents,
      taba_events_rejected: totalOf(books.rejected),
      taba_events_dropped: totalOf(books.dropped),
    },
    samples: [
      ['taba_latency_enqueue_sec', report.enqueueSec],
      ['taba_latency_processed_sec', report.processedSec],
      ['taba_latency_task_in_queue_ms', report.oldestPendingSec * 1000],
    ],
  };
}
