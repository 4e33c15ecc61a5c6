import { TabaError } from '../../core/errors.js';
import type { TabName, TabType } from '../../core/ids.js';
import { checkTabName, nameWithPairs, tagEscape } from '../../core/names.js';
import { type MetricName, pairOf } from '../../wire/statsd/metric.js';
import type { MappedKind, MappingRule } from './mapping-rule.js';

/** What becomes of each kind where no rule says otherwise. */
const defaultTypes = {
  c: 'CounterGroup',
  g: 'Gauge',
  ms: 'PercentileGroup',
  h: 'PercentileGroup',
  d: 'PercentileGroup',
  s: 'UniqueCounter',
  sum: 'CounterGroup',
  gauge: 'Gauge',
  histogram: 'PercentileGroup',
  summary: 'Gauge',
} as const satisfies Record<MappedKind, string>;

/** What becomes of a metric. */
export interface Mapped {
  /** Number of the rule that decided, from 1; undefined where none fitted. */
  readonly rule: number | undefined;
  /** Undefined: the metric is dropped. */
  readonly tab: TabName | undefined;
  readonly type: TabType;
  /** Whether a sign before a gauge's value makes it a change. */
  readonly signIsChange: boolean;
}

/** The mapping rules of a node, in their order. */
export class Mapping {
  readonly rules: readonly MappingRule[];

  constructor(rules: readonly MappingRule[] = []) {
    this.rules = rules;
  }

  /**
   * @param maxNameBytes of the tab, tags included
   * @throws TabaError `bad_name` when what comes out cannot be a tab name
   */
  map(kind: MappedKind, { name, tags }: MetricName, maxNameBytes: number): Mapped {
    const index = this.rules.findIndex(
      ({ metrics, pattern }) => (metrics === undefined || metrics.has(kind)) && pattern.test(name),
    );
    const rule = this.rules[index];
    const mapped = {
      rule: rule === undefined ? undefined : index + 1,
      type: rule?.type ?? (defaultTypes[kind] as TabType),
      signIsChange: rule?.signed !== 'value',
    };
    if (rule?.drop === true) return { ...mapped, tab: undefined };
    const kept = tags.filter(({ key }) => rule === undefined || !isDropped(rule, key));
    const tab = nameWithPairs(renamed(name, rule), new Set(kept.map(pairOf)));
    if (tab.length > maxNameBytes) {
      throw new TabaError('bad_name', `the tab name has ${tab.length} bytes; ${maxNameBytes} are allowed`);
    }
    return { ...mapped, tab: checkTabName(tab) };
  }
}

function isDropped({ dropTags }: MappingRule, key: string): boolean {
  if (dropTags === 'all') return true;
  // Keys are few, and compared as they stand in a tab name.
  for (const dropped of dropTags) if (tagEscape(dropped) === key) return true;
  return false;
}

function renamed(name: string, rule: MappingRule | undefined): string {
  if (rule?.rename === undefined) return name;
  const matcher = rule.pattern.matcher(name);
  matcher.find();
  const text = rule.rename.replace(/\$(.)/g, (_, what: string) =>
    what === '$' ? '$' : (matcher.group(Number(what)) ?? ''),
  );
  return text + name.slice(matcher.end());
}
