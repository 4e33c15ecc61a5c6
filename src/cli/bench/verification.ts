import { setTimeout as pause } from 'node:timers/promises';
import { createReader, type Reader } from '../../client/reader.js';
import { expectedOf, type Figures, type Plan, tabName } from './plan.js';

/** What the server shows of a run, against what was recorded. */
export interface Verification {
  readonly shown: number;
  readonly recorded: number;
  /** Tabs whose count or total is not what was recorded. */
  readonly wrongTabs: readonly string[];
  /** From the call until all was shown, or until it was given up. */
  readonly waitedSec: number;
}

const askEveryMs = 50;

/**
 * Waits until the server shows every event but the `missing` ones, at most for `deadlineMs`.
 * @param missing how many are known not to have been taken over
 * @throws ServerFault, NoAnswer
 */
export async function verify(
  plan: Plan,
  eventsOfClients: readonly number[],
  missing: number,
  server: string,
  deadlineMs = 30_000,
): Promise<Verification> {
  const reader = createReader({ url: server });
  const expected = expectedOf(plan, eventsOfClients);
  const recorded = eventsOfClients.reduce((sum, events) => sum + events, 0);
  const begun = performance.now();
  for (;;) {
    const shown = await shownOf(plan, reader);
    const wrongTabs = expected.flatMap(({ count, total }, tab) => {
      const name = tabName(plan, tab);
      const figures = shown.get(name) ?? { count: 0, total: 0 };
      return figures.count === count && figures.total === total ? [] : [name];
    });
    const waitedMs = performance.now() - begun;
    const events = [...shown.values()].reduce((sum, { count }) => sum + count, 0);
    const isAll = missing === 0 ? wrongTabs.length === 0 : events + missing >= recorded;
    if (isAll || waitedMs > deadlineMs) {
      return { shown: events, recorded, wrongTabs, waitedSec: waitedMs / 1000 };
    }
    await pause(askEveryMs);
  }
}

async function shownOf(plan: Plan, reader: Reader): Promise<Map<string, Figures>> {
  const tabs = await reader.tabs({ names: [ownTabs(plan)], re: true });
  return new Map(
    Object.entries(tabs).map(([name, rendering]) => {
      const windows = rendering as unknown as Figures & { readonly '1d'?: Figures };
      return [name, windows['1d'] ?? windows];
    }),
  );
}

/** A regular expression that matches the tabs of the run, and nothing else. */
function ownTabs({ prefix }: Plan): string {
  return `${prefix.replaceAll('.', '\\.')}\\.[0-9]+$`;
}
