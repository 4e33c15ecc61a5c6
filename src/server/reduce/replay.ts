import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { ClientId, Position, TabName } from '../../core/ids.js';
import type { Acquired, JournalEntry, SetAside, SetAsideKey } from '../../storage/store.js';
import { type PartRecord, readParts } from '../../wire/parts.js';
import { AdmittedParts } from './admitted-parts.js';
import type { AppliedEntry } from './apply.js';
import type { States } from './states.js';

/** One entry of the tail, ready to be applied, and what of it has to be set aside. */
export interface Replay {
  readonly entry: JournalEntry;
  readonly applied: AppliedEntry;
  readonly faults: readonly PartOfEntry[];
}

/** The tail of a journal, entry by entry, without what was set aside before. */
export function* replaysOf(
  { tail, setAside }: Pick<Acquired, 'tail' | 'setAside'>,
  registry: HandlerRegistry,
  states: States,
): Iterable<Replay> {
  const skips = new Skips(setAside);
  for (const entry of tail) {
    const { position, atMs } = entry;
    const skipped = skips.of(position);
    const { parts, faults } = skips.skipsEntry(position)
      ? { parts: new AdmittedParts(entry.payload, 0), faults: [] }
      : entryParts(entry, registry, states, skipped);
    yield { entry, applied: { position, atMs, parts }, faults };
  }
}

/** Which Parts of the tail were set aside before, and must be skipped. */
class Skips {
  readonly #byPosition = new Map<Position, Set<string>>();

  constructor(keys: readonly SetAsideKey[]) {
    for (const { position, tab, client } of keys) {
      const known = this.#byPosition.get(position) ?? new Set();
      this.#byPosition.set(position, known.add(`${tab}\n${client}`));
    }
  }

  /** The entry as a whole. */
  skipsEntry(position: Position): boolean {
    return this.#byPosition.get(position)?.has('\n') ?? false;
  }

  of(position: Position): (tab: TabName, client: ClientId) => boolean {
    const known = this.#byPosition.get(position);
    return (tab, client) => known?.has(`${tab}\n${client}`) ?? false;
  }
}

type PartOfEntry = Pick<SetAside, 'tab' | 'client' | 'events' | 'reason' | 'bytes'>;

/** The Parts of a journal entry. It was checked before it was appended: a fault here is damage, or a Handler that is gone. */
function entryParts(
  entry: JournalEntry,
  registry: HandlerRegistry,
  states: States,
  skips: (tab: TabName, client: ClientId) => boolean,
): { readonly parts: AdmittedParts; readonly faults: PartOfEntry[] } {
  const faults: PartOfEntry[] = [];
  let records: readonly PartRecord[] = [];
  try {
    records = readParts(entry.payload);
  } catch (error) {
    faults.push({ tab: '', client: '', events: 0, reason: String(error), bytes: entry.payload });
  }
  const parts = new AdmittedParts(entry.payload, records.length);
  for (const record of records) {
    const { tab, client, events, payload, start, end } = record;
    if (skips(tab, client)) continue;
    try {
      parts.add(record, registry, states);
    } catch (error) {
      faults.push({ tab, client, events, reason: String(error), bytes: payload.subarray(start, end) });
    }
  }
  return { parts, faults };
}
