import type { MemberId } from '../../../src/core/ids.js';
import { booksWith, ownerAccountWith } from '../../../src/server/status/account.js';
import { encodeReport, type MemberReport } from '../../../src/server/status/report.js';
import type { Member } from '../../../src/storage/coordination.js';

/** The report of a busy server; `factor` makes servers differ. */
export function reportOf(factor = 1): MemberReport {
  return {
    uptimeSec: 10.5 * factor,
    buckets: { idle: 0, acquiring: 1, serving: 100 * factor, leaving: 2 },
    tabs: 10 * factor,
    clients: 5,
    statesInMemory: 60 * factor,
    producers: 7 * factor,
    pendingBlocks: 3 * factor,
    oldestPendingSec: 0.25 * factor,
    journalEntries: 20 * factor,
    load: 1000 * factor,
    memoryBytes: factor * 2 ** 27,
    enqueueSec: 0.1 * factor,
    processedSec: 0.2 * factor,
    waitingFor: undefined,
    books: booksWith({
      received: 100 * factor,
      buffered: 10 * factor,
      applied: 80 * factor,
      rejected: { bad_value: 6 * factor },
      dropped: { flushed: 4 * factor },
    }),
    owners: ownerAccountWith({
      received: 200 * factor,
      pending: 20 * factor,
      applied: 170 * factor,
      rejected: { type_conflict: 7 * factor },
      returned: 3 * factor,
      replayed: 30 * factor,
      kept_aside: factor,
    }),
    checkpoint: { rounds: 4, tookMs: 12.5, endedAtMs: 1_700_000_000_000 },
  };
}

export function memberOf(
  id: string,
  address: string,
  report: MemberReport | Uint8Array,
  more: Partial<Member> = {},
): Member {
  return {
    ...{ id: id as MemberId, address, roles: ['fe', 'be'], version: '1.2.3', weight: 1, leaving: false },
    report: report instanceof Uint8Array ? report : encodeReport(report),
    ...more,
  };
}
