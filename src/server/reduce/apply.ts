import { decodedState, EncodedState, reduceState } from '../../core/handlers/encoded-state.js';
import type { Handler } from '../../core/handlers/handler.js';
import type { ClientId, Position } from '../../core/ids.js';
import type { AdmittedPart } from './admission.js';
import type { Slot, TabSlots } from './slot.js';
import type { States } from './states.js';

/** A Handler threw while it took in a Part: the States it touched cannot be trusted any more. */
export class PartFault extends Error {
  readonly part: AdmittedPart;

  constructor(part: AdmittedPart, cause: unknown) {
    super(String(cause), { cause });
    this.name = 'PartFault';
    this.part = part;
  }
}

/** What applying needs to know of a journal entry. Nothing else may influence the result: every replay must agree (R5). */
export interface AppliedEntry {
  readonly position: Position;
  readonly atMs: number;
  /** Without those that were set aside earlier. */
  readonly parts: readonly AdmittedPart[];
}

/** What holds for all entries of a store. */
export interface ApplyRules {
  readonly allowedSkewSec: number;
  /** When the store was made, seconds UTC. */
  readonly sinceSec: number;
}

interface Moment extends ApplyRules {
  readonly position: Position;
  readonly nowSec: number;
}

/** Where a Part goes. */
export interface Places {
  readonly handler: Handler | undefined;
  /** Of its client. */
  readonly slot: Slot;
  /** Over all clients, where that is kept. */
  readonly total: Slot | undefined;
}

/** Gives the States that a Part will touch their places in the index. */
export function declarePart(
  states: States,
  { tab, type, client }: Pick<AdmittedPart, 'tab' | 'type' | 'client'>,
): Places {
  return declarePartOf(states, states.declareTab(tab, type), client);
}

/** The same in a tab that is declared. */
export function declarePartOf(states: States, tabSlots: TabSlots, client: ClientId): Places {
  const { handler } = tabSlots;
  const slot = states.declareSlot(tabSlots, client);
  const total =
    handler?.tabState === 'kept' ? (tabSlots.total ?? states.declareSlot(tabSlots, '')) : undefined;
  return { handler, slot, total };
}

/** The States that an entry will touch and that do not contain it yet. */
export function touchedSlots({ position, parts }: AppliedEntry): Slot[] {
  const slots = new Set<Slot>();
  for (const { places } of parts) {
    const { slot, total } = places;
    if (slot.position < position) slots.add(slot);
    if (total !== undefined && total.position < position) slots.add(total);
  }
  return [...slots];
}

/** Whether any of those that `touchedSlots` names is not in memory. */
export function touchesCold({ position, parts }: AppliedEntry): boolean {
  const isCold = (one: Slot) => one.state === undefined && one.position < position;
  return parts.some(({ places: { slot, total } }) => isCold(slot) || (total !== undefined && isCold(total)));
}

/**
 * Applies an entry to States that are in memory: a deterministic function of the States and the entry, carried out in
 * one step. A State that contains the entry already is left alone.
 *
 * @returns how many events were applied
 * @throws PartFault: drop all States of the bucket, they may hold half a Part
 */
export function applyEntry(states: States, entry: AppliedEntry, rules: ApplyRules): number {
  const { position, atMs, parts } = entry;
  const moment = { ...rules, position, nowSec: atMs / 1000 };
  let events = 0;
  // The State over all clients takes one Part per client from one entry: it is marked when all are in.
  const over = new Set<Slot>();
  for (const part of parts) {
    try {
      events += part.events;
      applyPart(states, part, moment, over);
    } catch (error) {
      throw new PartFault(part, error);
    }
  }
  for (const slot of over) states.touched(slot, position);
  return events;
}

function applyPart(states: States, part: AdmittedPart, moment: Moment, over: Set<Slot>): void {
  const { position, nowSec, allowedSkewSec } = moment;
  const { handler, slot, total } = part.places;
  if (slot.type !== part.type) throw new Error(`${part.tab} is a ${slot.type}, not a ${part.type}`);
  if (handler === undefined) throw new Error(`no handler for ${part.type} is loaded`);
  const state = clamped(handler, part.state, nowSec + allowedSkewSec, nowSec);
  if (slot.position < position) {
    reduceState(handler, slot.state, state);
    handler.settle?.(slot.state, moment);
    states.touched(slot, position);
  }
  if (total === undefined || total.position >= position) return;
  // Where the State over all clients is kept, to reduce and to aggregate are the same.
  if (state instanceof EncodedState) reduceState(handler, total.state, state);
  else handler.aggregate(total.state, state, nowSec);
  handler.settle?.(total.state, moment);
  over.add(total);
}

/** The State of a Part, with nothing in it that is stamped later than `limitSec`; still encoded where that is known, and helps. */
function clamped(handler: Handler, state: unknown, limitSec: number, presentSec: number): unknown {
  if (
    handler.reduceEncoded !== undefined &&
    state instanceof EncodedState &&
    (state.newestSec ?? Number.POSITIVE_INFINITY) <= limitSec
  ) {
    return state;
  }
  const decoded = decodedState(handler, state);
  handler.clampFuture(decoded, limitSec, presentSec);
  return decoded;
}
