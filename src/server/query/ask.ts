import type { RenderForm } from '../../core/handlers/handler.js';
import type { BucketIndex, TabType } from '../../core/ids.js';

/** Tabs, or clients: all of them, those listed, or those whose name an expression matches. */
export type Choice = 'all' | readonly string[] | { readonly expression: string };

export function isListed(choice: Choice): choice is readonly string[] {
  return Array.isArray(choice);
}

/**
 * What is asked about the tabs and clients chosen:
 * - `aggregates`: each tab over the clients; rows `[tab, rendering]`
 * - `projections`: each State of the clients; rows `[tab, client, rendering]`
 * - `sum`: one State over all of it, or of which types the tabs are, where that is more than one; no rows
 * - `figures`: each tab over the clients as numbers, where its type has them; rows `[tab, type, Figures as JSON]`
 * - `tabs`: those of the clients, with their types; rows `[tab, type]`
 * - `clients`: those of the tabs; rows `[client]`
 *
 * Renderings are text, or JSON as text.
 */
export const subjects = ['aggregates', 'projections', 'sum', 'tabs', 'clients', 'figures'] as const;
export type Subject = (typeof subjects)[number];

/** A question to one holder, about some of the buckets that it is taken to serve. */
export interface Ask {
  readonly subject: Subject;
  readonly buckets: readonly BucketIndex[];
  readonly tabs: Choice;
  readonly clients: Choice;
  readonly form: RenderForm;
  /** The present of the whole query, seconds UTC. */
  readonly nowSec: number;
  /** What the rows may come to; beyond it, the answer is `result_too_large`. */
  readonly maxBytes: number;
}

/** What a holder answers. It says nothing about buckets that are `missing`. */
export interface Told {
  /** Those of the buckets that it does not serve (any more). */
  readonly missing: readonly BucketIndex[];
  /** Of tabs that were listed: those that there are in the buckets. */
  readonly foundTabs: readonly string[];
  /** Of clients that were listed: those that this holder knows in any of its buckets. */
  readonly foundClients: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** `sum`: the types of the tabs. */
  readonly types: readonly TabType[];
  /** `sum`, where there is one type: the State. It belongs to whoever gets it. */
  readonly sum: unknown;
}
