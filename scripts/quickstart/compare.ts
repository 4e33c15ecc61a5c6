import type { BidderReport, Sum } from './order.js';

/** What the servers should answer, worked out from what the bidders say they recorded. */
export interface Expected {
  readonly sums: ReadonlyMap<string, Sum>;
  readonly gauges: ReadonlyMap<string, Readonly<Record<string, number>>>;
  readonly distinct: ReadonlyMap<string, number>;
}

export function expectedOf(reports: readonly BidderReport[]): Expected {
  const sums = new Map<string, Sum>();
  const gauges = new Map<string, Record<string, number>>();
  const values = new Map<string, Set<string>>();
  for (const report of reports) {
    for (const [tab, { count, total, absolute }] of Object.entries(report.sums)) {
      const sum = sums.get(tab) ?? { count: 0, total: 0, absolute: 0 };
      sums.set(tab, {
        count: sum.count + count,
        total: sum.total + total,
        absolute: sum.absolute + absolute,
      });
    }
    for (const [tab, value] of Object.entries(report.latest)) {
      const holders = gauges.get(tab) ?? {};
      holders[value] = (holders[value] ?? 0) + 1;
      gauges.set(tab, holders);
    }
    for (const [tab, seen] of Object.entries(report.distinct)) {
      values.set(tab, new Set([...(values.get(tab) ?? []), ...seen]));
    }
  }
  return { sums, gauges, distinct: new Map([...values].map(([tab, seen]) => [tab, seen.size])) };
}

/** The answer of /tabs as JSON: fields differ by tab type. */
export type Answer = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Every difference, in words; none when all is as it should be. */
export function differences(expected: Expected, answer: Answer): string[] {
  const found: string[] = [];
  for (const [tab, sum] of expected.sums) {
    const { count, total } = allTime(answer[tab] ?? {});
    if (count !== sum.count) found.push(`${tab}: ${count} events instead of ${sum.count}`);
    // A sum of n doubles is within n * 2^-53 * sum|x| of the exact one in any order; both sides may be so far off.
    const tolerance = 2 * sum.count * 2 ** -53 * sum.absolute;
    if (!(Math.abs(Number(total) - sum.total) <= tolerance)) {
      found.push(`${tab}: a total of ${total} instead of ${sum.total} (give or take ${tolerance})`);
    }
  }
  for (const [tab, holders] of expected.gauges) {
    const sorted = (object: object): string => JSON.stringify(Object.entries(object).sort());
    const shown = answer[tab] ?? {};
    if (sorted(shown) !== sorted(holders))
      found.push(`${tab}: ${JSON.stringify(shown)} instead of ${JSON.stringify(holders)}`);
  }
  for (const [tab, count] of expected.distinct) {
    const shown = answer[tab]?.all;
    if (shown !== count) found.push(`${tab}: ${shown} distinct values instead of ${count}`);
  }
  return found;
}

/** Count and total: all-time where the type has them, else of the last day, which covers the whole simulation. */
function allTime(state: Readonly<Record<string, unknown>>): { count: unknown; total: unknown } {
  const holder = 'count' in state ? state : 'pct' in state ? state.pct : state['1d'];
  const { count, total } = (holder ?? {}) as { count?: unknown; total?: unknown };
  return { count, total };
}
