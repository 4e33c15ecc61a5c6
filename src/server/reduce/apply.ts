import { decodedState, EncodedState, reduceState } from '../../core/handlers/encoded-state.js';
import type { Handler } from '../../core/handlers/handler.js';
import type { Position } from '../../core/ids.js';
import type { PartEntry } from '../../core/parts.js';
import type { AdmittedParts } from './admitted-parts.js';
import type { Slot } from './slot.js';
import type { States } from './states.js';

/** A Handler threw while it took in a Part: the States it touched cannot be trusted any more. */
export class PartFault extends Error {
  readonly part: PartEntry;

  constructor(part: PartEntry, cause: unknown) {
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
  readonly parts: AdmittedParts;
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

/** The States that an entry will touch and that do not contain it yet. */
export function touchedSlots({ position, parts }: AppliedEntry): Slot[] {
  const slots = new Set<Slot>();
  for (let index = 0; index < parts.length; index++) {
    const [slot, total] = [parts.slotOf(index), parts.totalOf(index)];
    if (slot.position < position) slots.add(slot);
    if (total !== undefined && total.position < position) slots.add(total);
  }
  return [...slots];
}

/** Whether any of those that `touchedSlots` names has to come from the store. */
export function touchesCold({ position, parts }: AppliedEntry): boolean {
  const isCold = (one: Slot) => one.isCold && one.position < position;
  for (let index = 0; index < parts.length; index++) {
    const total = parts.totalOf(index);
    if (isCold(parts.slotOf(index)) || (total !== undefined && isCold(total))) return true;
  }
  return false;
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
  const { allowedSkewSec, sinceSec } = rules;
  const moment = { allowedSkewSec, sinceSec, position, nowSec: atMs / 1000 };
  let events = 0;
  // The State over all clients takes one Part per client from one entry: it is marked when all are in.
  const over: Slot[] = [];
  for (let index = 0; index < parts.length; index++) {
    try {
      events += parts.eventsOf(index);
      applyPart(states, parts, index, moment, over);
    } catch (error) {
      throw new PartFault(parts.at(index), error);
    }
  }
  for (const slot of over) states.touched(slot, position);
  return events;
}

function applyPart(states: States, parts: AdmittedParts, index: number, moment: Moment, over: Slot[]): void {
  const { position, nowSec, allowedSkewSec } = moment;
  const [slot, total, type] = [parts.slotOf(index), parts.totalOf(index), parts.typeOf(index)];
  const { handler } = parts.tabOf(index);
  if (slot.type !== type) throw new Error(`${slot.tab} is a ${slot.type}, not a ${type}`);
  if (handler === undefined) throw new Error(`no handler for ${type} is loaded`);
  const state = clamped(handler, parts.stateOf(index), nowSec + allowedSkewSec, nowSec);
  if (slot.position < position) {
    add(states, slot, handler, state, moment);
    states.touched(slot, position);
  }
  if (total === undefined || total.position >= position) return;
  // Where the State over all clients is kept, to reduce and to aggregate are the same.
  add(states, total, handler, state, moment);
  // Parts come tab by tab.
  if (over.at(-1) !== total) over.push(total);
}

/** Adds what a Part holds, encoded or not, to a State that is in memory or does not exist yet. */
function add(states: States, slot: Slot, handler: Handler, state: unknown, moment: Moment): void {
  if (state instanceof EncodedState && states.add(slot, handler, state)) return;
  const into = states.writable(slot, handler);
  reduceState(handler, into, state);
  handler.settle?.(into, moment);
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
