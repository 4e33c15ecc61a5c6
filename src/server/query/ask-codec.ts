/**
 * Questions between servers and their answers, as msgpack.
 *
 *     Ask     [version, subject, form, nowSec, maxBytes, buckets, tabs kind, tabs, clients kind, clients]
 *     Told    [version, missing, foundTabs, foundClients, rows, types, sum]
 *
 * What is chosen is kind 0 (all, none listed), 1 (those listed) or 2 (an expression, the only one listed). `sum` is nil or
 * the State as bytes (`wire/state.ts`), of the only one of `types`.
 */
import type { RenderForm } from '../../core/handlers/handler.js';
import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { BucketIndex, TabType } from '../../core/ids.js';
import type { Fields } from '../../wire/fields.js';
import { pack } from '../../wire/msgpack.js';
import { decodeState, encodeState } from '../../wire/state.js';
import { versionedFields } from '../../wire/versioned-fields.js';
import { type Ask, type Choice, isListed, type Subject, subjects, type Told } from './ask.js';
import { handlerOf } from './handler-of.js';

const version = 1;
const forms: readonly RenderForm[] = ['text', 'json', 'detailed'];
/** Texts of a row. */
const rowWidths = { aggregates: 2, projections: 3, sum: 0, tabs: 2, clients: 1, figures: 3 } satisfies Record<
  Subject,
  number
>;

export function encodeAsk(ask: Ask): Uint8Array {
  const { subject, form, nowSec, maxBytes, buckets, tabs, clients } = ask;
  return pack([
    version,
    subjects.indexOf(subject),
    forms.indexOf(form),
    nowSec,
    maxBytes,
    buckets,
    ...packedChoice(tabs),
    ...packedChoice(clients),
  ]);
}

/** @throws TabaError `bad_framing` */
export function decodeAsk(bytes: Uint8Array): Ask {
  const fields = versionedFields(bytes, 'ask', version);
  const ask = {
    subject: fields.choice('subject', subjects),
    form: fields.choice('form', forms),
    nowSec: fields.amount('nowSec'),
    maxBytes: fields.integer('maxBytes'),
    buckets: fields.integers('buckets') as BucketIndex[],
    tabs: choiceOf(fields, 'tabs'),
    clients: choiceOf(fields, 'clients'),
  };
  fields.end();
  return ask;
}

/** @throws TabaError `unknown_type` */
export function encodeTold(told: Told, registry: HandlerRegistry): Uint8Array {
  const { missing, foundTabs, foundClients, rows, types, sum } = told;
  const state = sum === undefined ? null : encodeState(handlerOf(types[0], registry), sum);
  return pack([version, missing, foundTabs, foundClients, rows, types, state]);
}

/** @throws TabaError `bad_framing`, `unknown_type`, `corrupt` */
export function decodeTold(bytes: Uint8Array, { subject, maxBytes }: Ask, registry: HandlerRegistry): Told {
  const fields = versionedFields(bytes, 'told', version);
  const width = Array.from({ length: rowWidths[subject] }, (_, cell) => String(cell));
  const missing = fields.integers('missing') as BucketIndex[];
  const foundTabs = fields.texts('foundTabs');
  const foundClients = fields.texts('foundClients');
  const rows = fields.list('rows', (row) => width.map((cell) => row.text(cell, 0, maxBytes)));
  const types = fields.texts('types') as TabType[];
  const state = fields.optional((field) => field.bytes('sum'));
  fields.end();
  const sum = state === undefined ? undefined : decodeState(handlerOf(types[0], registry), state);
  return { missing, foundTabs, foundClients, rows, types, sum };
}

function packedChoice(choice: Choice): [kind: number, texts: readonly string[]] {
  if (choice === 'all') return [0, []];
  return isListed(choice) ? [1, choice] : [2, [choice.expression]];
}

function choiceOf(fields: Fields, field: string): Choice {
  const kind = fields.integer(`${field} kind`, 0, 2);
  const texts = fields.texts(field);
  if (kind === 0) return 'all';
  return kind === 1 ? texts : { expression: texts[0] ?? '' };
}
