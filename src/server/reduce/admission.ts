import type { Block, BlockRejection } from '../../core/block.js';
import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { JournalEntry } from '../../storage/store.js';
import { encodeParts, type PartRecord, readParts } from '../../wire/parts.js';
import { AdmittedParts } from './admitted-parts.js';
import type { Capacity } from './capacity.js';
import type { TabSlots } from './slot.js';
import type { States } from './states.js';

export type Admission =
  | { readonly kind: 'corrupt'; readonly message: string }
  | {
      readonly kind: 'admitted';
      readonly parts: AdmittedParts;
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
  const { position, atMs } = at;
  const entry = { position, producer, birthMs, seq, atMs, sealedAtMs, payload };
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
  const parts = new AdmittedParts(block.payload, records.length);
  const rejected: BlockRejection[] = [];
  // Records come tab by tab.
  let known: TabSlots | undefined;
  for (const record of records) {
    const { tab, client, events } = record;
    if (known?.tab !== tab) known = states.tab(tab);
    let refusal = refuse(record, known, registry, capacity);
    if (refusal === undefined) {
      try {
        known = parts.add(record, registry, states, known);
      } catch {
        refusal = { code: 'corrupt', message: `the Part of ${tab} does not decode` };
      }
    }
    if (refusal !== undefined) rejected.push({ tab, client, events, ...refusal });
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
  if (known?.has(client)) return undefined;
  if (!capacity.hasRoomForSlot) {
    return { code: 'too_many_states', message: `no memory to keep track of ${tab} of client ${client}` };
  }
  if (capacity.admitsClient(client)) return undefined;
  return { code: 'too_many_clients', message: `no room for client ${client}` };
}
