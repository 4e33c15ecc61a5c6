import { bucketOf } from '../../core/buckets.js';
import type { BucketIndex, ClientId, TabName, TabType } from '../../core/ids.js';
import type { BucketView } from '../reduce/bucket-view.js';
import { OwnedTab } from '../reduce/owned-tab.js';
import type { Reading } from '../reduce/reading.js';
import { type Choice, isListed } from './ask.js';
import { Expression } from './expression.js';
import type { QueryTurn } from './query-turn.js';

export interface Selecting {
  readonly reading: Reading;
  readonly maxExpressionBytes: number;
  readonly turn: QueryTurn;
}

/** A bucket, and those of its tabs that are meant; they can be gone through several times. */
export interface SelectedTabs {
  readonly view: BucketView;
  readonly tabs: Iterable<OwnedTab>;
  /** Their types, where these are known already. */
  readonly types?: ReadonlySet<TabType>;
}

/** The tabs of the buckets that are meant. @throws TabaError `bad_expression`, `query_too_slow` */
export async function selectTabs(
  views: readonly BucketView[],
  choice: Choice,
  { reading, maxExpressionBytes, turn }: Selecting,
): Promise<SelectedTabs[]> {
  if (choice === 'all')
    return views.map((view) => ({ view, tabs: { [Symbol.iterator]: () => view.tabs() } }));
  if (isListed(choice)) {
    const byBucket = namesByBucket(choice, reading.bucketCount);
    return views.map((view) => {
      const tabs = (byBucket.get(view.bucket) ?? []).map((name) => view.tab(name));
      return { view, tabs: tabs.filter((tab) => tab !== undefined) };
    });
  }
  const expression = new Expression(choice.expression, maxExpressionBytes);
  const selected: SelectedTabs[] = [];
  for (const view of views) {
    // By the names alone: whether something is applied is asked of those few that match.
    const named = await expression.filter(view.named(), ({ tab }) => tab, turn);
    const tabs: OwnedTab[] = [];
    const types = new Set<TabType>();
    for (const tabSlots of named) {
      const tab = OwnedTab.of(tabSlots);
      if (tab === undefined) continue;
      tabs.push(tab);
      types.add(tab.type);
    }
    selected.push({ view, tabs, types });
  }
  return selected;
}

/** The clients that are meant: for an expression, those that may be known here. */
export async function selectClients(
  choice: Choice,
  { reading, maxExpressionBytes, turn }: Selecting,
): Promise<'all' | ReadonlySet<ClientId>> {
  if (choice === 'all') return 'all';
  if (isListed(choice)) return new Set(choice as readonly ClientId[]);
  const expression = new Expression(choice.expression, maxExpressionBytes);
  return new Set(await expression.filter(reading.clientIds(), (client) => client, turn));
}

/** Those of the clients that have something applied in any bucket that is served here. */
export async function knownClients(
  listed: readonly string[],
  { reading, turn }: Omit<Selecting, 'maxExpressionBytes'>,
): Promise<ClientId[]> {
  const open = new Set(listed.filter((client) => reading.mayKnow(client)));
  const known: ClientId[] = [];
  for (const view of reading.buckets()) {
    if (open.size === 0) break;
    known.push(...(await takePresent(open, view.tabs(), turn)));
  }
  return known;
}

/** Takes those clients out of `open` that have something applied in the tabs. */
export async function takePresent(
  open: Set<ClientId>,
  tabs: Iterable<OwnedTab>,
  turn: QueryTurn,
): Promise<ClientId[]> {
  const present: ClientId[] = [];
  for (const tab of open.size === 0 ? [] : tabs) {
    const candidates = tab.size < open.size ? tab.clients() : open;
    for (const client of candidates) {
      if (tab.has(client) && open.delete(client)) present.push(client);
    }
    if (open.size === 0) break;
    if (turn.isOver) await turn.next();
  }
  return present;
}

/** The buckets in which the tabs meant may be. */
export function bucketsOf(choice: Choice, bucketCount: number): BucketIndex[] {
  if (isListed(choice)) return [...namesByBucket(choice, bucketCount).keys()];
  return Array.from({ length: bucketCount }, (_, bucket) => bucket as BucketIndex);
}

/** The part of what is meant that may be in these buckets: a holder need not look for what others have. */
export function choiceWithin(
  choice: Choice,
  bucketCount: number,
): (buckets: readonly BucketIndex[]) => Choice {
  return isListed(choice) ? tabsWithin(choice, bucketCount) : () => choice;
}

/** Those of the tabs that are in these buckets, one bucket after the other. */
export function tabsWithin(
  tabs: readonly string[],
  bucketCount: number,
): (buckets: readonly BucketIndex[]) => readonly string[] {
  const byBucket = namesByBucket(tabs, bucketCount);
  return (buckets) => buckets.flatMap((bucket) => byBucket.get(bucket) ?? []);
}

/** Each name once. */
function namesByBucket(names: readonly string[], bucketCount: number): Map<BucketIndex, TabName[]> {
  const byBucket = new Map<BucketIndex, TabName[]>();
  for (const name of new Set(names as readonly TabName[])) {
    const bucket = bucketOf(name, bucketCount);
    const known = byBucket.get(bucket);
    if (known === undefined) byBucket.set(bucket, [name]);
    else known.push(name);
  }
  return byBucket;
}
