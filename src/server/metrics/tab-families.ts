import type { Figures, SpanFigures } from '../../core/handlers/figures.js';
import { shownPercentiles } from '../../core/handlers/number-format.js';
import type { Family, Labels, Sample } from './exposition.js';

/** A tab of the answer. */
export interface TabFigures {
  /** Its own name and type: names that differ in a dot only must not become one series. */
  readonly labels: Labels;
  readonly figures: Figures;
}

export interface TabFamily extends Family {
  /** By which it is chosen. */
  readonly key: string;
  samples(tab: TabFigures, windows: ReadonlySet<string>): Iterable<Sample>;
}

/** The name of the span without a beginning, where windows have theirs. */
export const allTime = 'all';

/** What there is of tabs for Prometheus, in this order. */
export const tabFamilies: readonly TabFamily[] = [
  {
    key: 'count',
    name: 'taba_tab_count',
    kind: 'counter',
    help: 'Events of the tab since it began.',
    *samples({ labels, figures: { all } }) {
      if (all?.count !== undefined) yield { labels, value: all.count };
    },
  },
  {
    key: 'sum',
    name: 'taba_tab_sum',
    kind: 'counter',
    help: 'Sum of the values of the tab since it began. It falls where values are negative.',
    *samples({ labels, figures: { all } }) {
      if (all?.total !== undefined) yield { labels, value: all.total };
    },
  },
  windowFamily('events', 'Events of the tab in the window.', ({ count }) => count),
  windowFamily('amount', 'Sum of the values of the tab in the window.', ({ total }) => total),
  windowFamily('rate', 'Events of the tab a second, over what the window covers.', ({ rate }) => rate),
  {
    key: 'percentiles',
    name: 'taba_tab_percentile',
    kind: 'summary',
    help: 'Percentiles of the values of the tab in the window, over all its clients.',
    *samples({ labels, figures }, windows) {
      for (const [window, { percentiles = [] }] of spansOf(figures, windows)) {
        for (const [at, value] of percentiles.entries()) {
          const quantile = String(shownPercentiles[at]);
          yield { labels: [...labels, ['window', window], ['quantile', quantile]], value };
        }
      }
    },
  },
  {
    key: 'distinct',
    name: 'taba_tab_distinct',
    kind: 'gauge',
    help: 'Different values of the tab in the window.',
    *samples({ labels, figures }, windows) {
      for (const [window, { distinct }] of spansOf(figures, windows)) {
        if (distinct !== undefined) yield { labels: [...labels, ['window', window]], value: distinct };
      }
    },
  },
  valueFamily('value', 'taba_tab_value', 'Sum of the numbers that clients hold in the gauge.', sumOf),
  valueFamily('value', 'taba_tab_value_min', 'Least number that a client holds in the gauge.', ([first]) => {
    return first![0];
  }),
  valueFamily('value', 'taba_tab_value_max', 'Greatest number that a client holds in the gauge.', (held) => {
    return held.at(-1)![0];
  }),
  valueFamily('value', 'taba_tab_value_clients', 'Clients that hold a number in the gauge.', (held) => {
    return held.reduce((sum, [, clients]) => sum + clients, 0);
  }),
  {
    key: 'state',
    name: 'taba_tab_state_clients',
    kind: 'gauge',
    help: 'Clients that hold this text in the gauge.',
    *samples({ labels, figures: { holders = [] } }) {
      for (const [value, clients] of holders) {
        if (typeof value === 'string') yield { labels: [...labels, ['value', value]], value: clients };
      }
    },
  },
];

type WindowValues = SpanFigures & { readonly rate?: number };

function windowFamily(
  key: string,
  help: string,
  measure: (figures: WindowValues) => number | undefined,
): TabFamily {
  return {
    ...{ key, help, name: `taba_tab_window_${key}`, kind: 'gauge' },
    *samples({ labels, figures }, windows) {
      for (const figuresOfWindow of figures.windows ?? []) {
        const value = measure(figuresOfWindow);
        const { window } = figuresOfWindow;
        if (value !== undefined && windows.has(window))
          yield { labels: [...labels, ['window', window]], value };
      }
    },
  };
}

/** Numbers that clients hold, the least first, with how many clients hold each. */
type HeldNumbers = readonly (readonly [value: number, clients: number])[];

/** @param measure gets at least one number */
function valueFamily(
  key: string,
  name: string,
  help: string,
  measure: (held: HeldNumbers) => number,
): TabFamily {
  return {
    ...{ key, help, name, kind: 'gauge' },
    *samples({ labels, figures: { holders = [] } }) {
      const held = holders.flatMap(([value, clients]) => {
        return typeof value === 'number' ? [[value, clients] as const] : [];
      });
      held.sort(([left], [right]) => left - right);
      if (held.length > 0) yield { labels, value: measure(held) };
    },
  };
}

function sumOf(held: HeldNumbers): number {
  return held.reduce((sum, [value, clients]) => sum + value * clients, 0);
}

/** The windows, and all time. */
function* spansOf(
  { all, windows = [] }: Figures,
  wanted: ReadonlySet<string>,
): Generator<readonly [window: string, figures: SpanFigures]> {
  for (const figures of windows) if (wanted.has(figures.window)) yield [figures.window, figures];
  if (all !== undefined && wanted.has(allTime)) yield [allTime, all];
}
