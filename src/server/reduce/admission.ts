import type { Block, BlockRejection } from '../../core/block.js';
import { EncodedState } from '../../core/handlers/encoded-state.js';
import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { ClientId, TabName, TabType } from '../../core/ids.js';
import type { JournalEntry } from '../../storage/store.js';
import { decodePart, encodeParts, examinePart, type PartRecord, readParts } from '../../wire/parts.js';
import { declarePartOf, type Places } from './apply.js';
import type { Capacity } from './capacity.js';
import type { TabSlots } from './slot.js';
import type { States } from './states.js';

/** A Part that will be applied. */
export interface AdmittedPart {
  readonly tab: TabName;
  readonly type: TabType;
  readonly client: ClientId;
  /** The State itself, or an `EncodedState` in its place. */
  readonly state: unknown;
  readonly events: number;
  /** Anew whenever something was removed from the index. */
  places: Places;
}

export type Admission =
  | { readonly kind: 'corrupt'; readonly message: string }
  | {
      readonly kind: 'admitted';
      readonly parts: readonly AdmittedPart[];
      readonly rejected: readonly BlockRejection[];
      /** What goes into the journal: the Block's own bytes, or without what was rejected. */
      readonly payload: Uint8Array;
    };

/** What goes into the journal for a Block that was admitted. */
export function entryOf(
  { producer, birthMs, seq, retires, sealedAtMs }: Block,
  { payload }: Extract<Admission, { kind: 'admitted' }>,
  at: Pick<JournalEntry, 'position' | 'atMs'>,
): JournalEntry {
  const entry = { producer, birthMs, seq, sealedAtMs, payload, ...at };
  return retires === undefined ? entry : { ...entry, retires };
}

/**
 * Decides, before the append, which Parts of a Block count, and makes room for them in the index. The journal then
 * holds only what is to be applied: a replay decides nothing again, and comes to the same States whatever the limits
 * and handlers are by then. The index is ahead of the journal for as long as appends are pending; when one fails, all
 * memory of the bucket is dropped (R3), so that nothing need be taken back.
 */
export function admit(
  block: Block,
  registry: HandlerRegistry,
  states: States,
  capacity: Capacity,
): Admission {
  let records: readonly PartRecord[];
  try {
    records = readParts(block.payload);
  } catch (error) {
    return { kind: 'corrupt', message: String(error) };
  }
  const parts: AdmittedPart[] = [];
  const rejected: BlockRejection[] = [];
  // Records come tab by tab.
  let known: TabSlots | undefined;
  for (const record of records) {
    const { tab, client, events, type } = record;
    if (known?.tab !== tab) known = states.tab(tab);
    const refusal = refuse(record, known, registry, capacity);
    const state = refusal === undefined ? checked(record, registry) : undefined;
    if (refusal !== undefined || state === undefined) {
      const reason = refusal ?? ({ code: 'corrupt', message: `the Part of ${tab} does not decode` } as const);
      rejected.push({ tab, client, events, ...reason });
      continue;
    }
    known ??= states.declareTab(tab, type);
    parts.push({ tab, type, client, state, events, places: declarePartOf(states, known, client) });
  }
  const payload = rejected.length === 0 ? block.payload : encodeParts(parts, registry);
  return { kind: 'admitted', parts, rejected, payload };
}

type Refusal = Pick<BlockRejection, 'code' | 'message'>;

function refuse(
  { tab, type, client }: PartRecord,
  known: TabSlots | undefined,
  registry: HandlerRegistry,
  capacity: Capacity,
): Refusal | undefined {
  if (registry.get(type) === undefined) {
    return { code: 'unknown_type', message: `no handler for ${type} is loaded` };
  }
  if (known === undefined) {
    if (!capacity.hasRoomForTab) return { code: 'too_many_tabs', message: `no room for tab ${tab}` };
  } else if (known.type !== type) {
    return { code: 'type_conflict', message: `${tab} is a ${known.type}, not a ${type}` };
  }
  if (known?.slots.has(client)) return undefined;
  if (!capacity.hasRoomForSlot) {
    return { code: 'too_many_states', message: `no memory to keep track of ${tab} of client ${client}` };
  }
  if (capacity.admitsClient(client)) return undefined;
  return { code: 'too_many_clients', message: `no room for client ${client}` };
}

/**
 * The State of a Part: still encoded where possible, so that nothing but bytes waits for the journal.
 * @returns undefined for a Part that does not decode, whatever it throws: it cannot be applied
 */
function checked(record: PartRecord, registry: HandlerRegistry): unknown {
  try {
    const newestSec = examinePart(record, registry);
    return newestSec === undefined
      ? decodePart(record, registry)
      : new EncodedState(record.payload, record.start, record.end, newestSec);
  } catch {
    return undefined;
  }
}
