import type { TabType } from '../ids.js';
import {
  compareValues,
  decodeValue,
  type ExpiringValue,
  encodeValue,
  type GaugeValue,
  parseExpiringValue,
} from './gauge-value.js';
import type { Handler } from './handler.js';
import { neverHad } from './upgrade.js';

/** A buffer keeps so many values: those that expire last. */
export const maxBufferValues = 1000;

interface Item {
  readonly value: GaugeValue;
  readonly expirySec: number;
  readonly timestampSec: number;
  readonly sequence: number;
}

export interface BufferState {
  /** What expires last comes first. */
  items: Item[];
}

/**
 * The values that have not expired, with their times. Nothing is dropped because of its age, only because 1,000 others
 * expire later: a clock that ran ahead for a while costs no value.
 */
export const buffer: Handler<BufferState, ExpiringValue> = {
  type: 'Buffer' as TabType,
  version: 1,
  tabState: 'kept',

  parse: parseExpiringValue,
  newState: () => ({ items: [] }),

  fold({ items }, { value, expirySec }, { timestampSec, sequence }) {
    const item = { value, expirySec, timestampSec, sequence };
    items.splice(placeOf(items, item), 0, item);
    if (items.length > maxBufferValues) items.pop();
  },

  reduce(into, from) {
    if (from.items.length === 0) return;
    into.items = [...into.items, ...from.items].sort(compareItems).slice(0, maxBufferValues);
  },

  aggregate(into, from) {
    buffer.reduce(into, from);
  },

  clampFuture(state, limitSec, presentSec) {
    const late = state.items.filter((item) => item.timestampSec > limitSec).length;
    if (late === 0) return 0;
    state.items = state.items
      .map((item) => (item.timestampSec > limitSec ? { ...item, timestampSec: presentSec } : item))
      .sort(compareItems);
    return late;
  },

  /** `[[value, time], …]`; in detail `{value, time, expiry}` each. */
  render({ items }, form, { nowSec }) {
    const valid = items.filter(({ expirySec }) => expirySec > nowSec);
    if (form === 'detailed') {
      return valid.map(({ value, timestampSec, expirySec }) => ({
        value,
        time: timestampSec,
        expiry: expirySec,
      }));
    }
    const pairs = valid.map(({ value, timestampSec }) => [value, timestampSec] as const);
    if (form === 'json') return pairs;
    if (pairs.length === 0) return '[]';
    return `[\n${pairs.map(([value, time]) => `    [${JSON.stringify(value)}, ${time}]`).join(',\n')}]`;
  },

  shouldPrune: ({ items }, nowSec) => (items[0]?.expirySec ?? 0) <= nowSec,

  /** The number of values; each as value, expiry, timestamp, sequence. */
  encode({ items }, out) {
    out.varint(items.length);
    for (const { value, expirySec, timestampSec, sequence } of items) {
      encodeValue(value, out);
      out.number(expirySec);
      out.number(timestampSec);
      out.varint(sequence);
    }
  },

  decode(input) {
    const items: Item[] = [];
    for (let left = input.varint(); left > 0; left--) {
      items.push({
        value: decodeValue(input),
        expirySec: input.number(),
        timestampSec: input.number(),
        sequence: input.varint(),
      });
    }
    return { items };
  },

  upgrade: neverHad('Buffer'),
};

/** A total order, so that every order of merging keeps the same 1,000. */
function compareItems(a: Item, b: Item): number {
  return (
    b.expirySec - a.expirySec ||
    b.timestampSec - a.timestampSec ||
    b.sequence - a.sequence ||
    compareValues(b.value, a.value)
  );
}

function placeOf(items: readonly Item[], item: Item): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareItems(items[middle]!, item) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
