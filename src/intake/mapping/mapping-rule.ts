/**
 * Mapping rules: what becomes of metrics that other protocols name and type in their own way. A list, of which the first rule
 * that fits a metric decides; without one the protocol's own rules hold. As JSON, one object each:
 *
 *     match      regular expression (RE2), from the beginning of the metric's name, which is what stands before its tags
 *     metrics    kinds that the rule is for, of c g ms h d s (StatsD), sum gauge histogram summary (OTLP); all when absent
 *     drop       true: the metric is counted as dropped, and goes no further
 *     type       tab type
 *     rename     takes the place of what matched; $1 to $9 are its groups, $$ is a $
 *     drop-tags  keys of tags (attributes) to leave out, or true for all
 *     signed     "value": a gauge's +3 and -3 are values, as for Datadog's agent; "change" (the default), as for statsd
 *
 * Example: [{"match": "app\\.[^.]+\\.latency$", "rename": "app.latency", "type": "PercentileCounter", "drop-tags": ["pod"]}]
 */
import { RE2JS } from 're2js';
import { TabaError } from '../../core/errors.js';
import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { TabType } from '../../core/ids.js';
import { type OtlpKind, otlpKinds } from '../../wire/otlp/metrics.js';
import { type MetricKind, metricKinds } from '../../wire/statsd/metric.js';

/** A kind of metric that rules can be for. */
export type MappedKind = MetricKind | OtlpKind;
const mappedKinds: readonly MappedKind[] = [...metricKinds, ...otlpKinds];

/** A rule that was checked. */
export interface MappingRule {
  /** As it was written. */
  readonly match: string;
  readonly pattern: RE2JS;
  /** Undefined: all. */
  readonly metrics: ReadonlySet<MappedKind> | undefined;
  readonly drop: boolean;
  readonly type: TabType | undefined;
  readonly rename: string | undefined;
  readonly dropTags: ReadonlySet<string> | 'all';
  readonly signed: 'value' | 'change';
}

export interface RuleContext {
  readonly registry: Pick<HandlerRegistry, 'get' | 'types'>;
  readonly maxExpressionBytes: number;
}

/** These take an expiry with every value, which no such protocol has. */
const expiringTypes: ReadonlySet<string> = new Set(['ExpiryGauge', 'Buffer']);
const noTags: ReadonlySet<string> = new Set();

type Json = Readonly<Record<string, unknown>>;

/** The fields of a rule, each with what it takes. */
const fields = {
  match: 'a regular expression',
  metrics: `a list of kinds, of ${mappedKinds.join(', ')}`,
  drop: 'true',
  type: 'a tab type',
  rename: 'a text',
  'drop-tags': 'a list of keys, or true',
  signed: '"value" or "change"',
} as const;
type Field = keyof typeof fields;

/**
 * Checks a list of rules as it came out of JSON.
 * @throws TabaError `bad_setting`, naming the rule by its number (from 1), and what would be right
 */
export function readRules(list: unknown, context: RuleContext): MappingRule[] {
  if (!Array.isArray(list)) throw new TabaError('bad_setting', 'mapping: not a list of rules');
  return list.map((item: unknown, index) => {
    try {
      return readRule(item, context);
    } catch (error) {
      if (!(error instanceof TabaError)) throw error;
      throw new TabaError('bad_setting', `mapping: rule ${index + 1}: ${error.message}`);
    }
  });
}

function readRule(item: unknown, context: RuleContext): MappingRule {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) {
    throw fault('not an object {"match": …}');
  }
  const rule = item as Json;
  for (const key of Object.keys(rule)) {
    if (!Object.hasOwn(fields, key)) {
      throw fault(`${JSON.stringify(key)}: there are ${Object.keys(fields).join(', ')}`);
    }
  }
  const pattern = patternOf(rule, context);
  const read: MappingRule = {
    match: String(rule.match),
    pattern,
    metrics: metricsOf(rule),
    drop: optional(rule, 'drop', (value) => value === true) ?? false,
    type: typeOf(rule, context),
    rename: renameOf(rule, pattern),
    dropTags: dropTagsOf(rule),
    signed: optional(rule, 'signed', (value) => value === 'value' || value === 'change') ?? 'change',
  };
  if (read.drop && Object.keys(rule).some((key) => !['match', 'metrics', 'drop'].includes(key))) {
    throw fault('drop leaves nothing for the other fields to do');
  }
  return read;
}

function patternOf(rule: Json, { maxExpressionBytes }: RuleContext): RE2JS {
  const { match } = rule;
  if (typeof match !== 'string' || match === '') throw wrong(rule, 'match');
  const bytes = Buffer.byteLength(match);
  if (bytes > maxExpressionBytes) {
    throw fault(`match: an expression of ${bytes} bytes; ${maxExpressionBytes} are allowed`);
  }
  try {
    // On its own first: what is broken alone must not become valid by what surrounds it.
    RE2JS.compile(match);
    return RE2JS.compile(`^(?:${match})`);
  } catch (error) {
    throw fault(`match: ${JSON.stringify(match)} is not a regular expression: ${(error as Error).message}`);
  }
}

function metricsOf(rule: Json): ReadonlySet<MappedKind> | undefined {
  const isKind = (value: unknown): value is MappedKind => (mappedKinds as readonly unknown[]).includes(value);
  const list = optional<MappedKind[]>(
    rule,
    'metrics',
    (value) => Array.isArray(value) && value.length > 0 && value.every(isKind),
  );
  return list && new Set(list);
}

function typeOf(rule: Json, { registry }: RuleContext): TabType | undefined {
  const type = optional<TabType>(rule, 'type', (value) => typeof value === 'string');
  if (type === undefined) return undefined;
  if (registry.get(type) === undefined) {
    throw fault(`type: there is no ${JSON.stringify(type)}; there are ${registry.types().join(', ')}`);
  }
  if (expiringTypes.has(type)) {
    throw fault(`type: ${type} takes an expiry with every value, which these metrics do not have`);
  }
  return type;
}

function renameOf(rule: Json, pattern: RE2JS): string | undefined {
  const rename = optional<string>(rule, 'rename', (value) => typeof value === 'string');
  if (rename === undefined) return undefined;
  const groups = pattern.groupCount();
  for (const [reference] of rename.matchAll(/\$(.?)/gs)) {
    if (reference === '$$') continue;
    const group = Number(reference.slice(1) || Number.NaN);
    if (!(group >= 1 && group <= groups)) {
      throw fault(`rename: ${reference} is none of the ${groups} groups of match; a $ is written $$`);
    }
  }
  return rename;
}

function dropTagsOf(rule: Json): ReadonlySet<string> | 'all' {
  const isKeys = (value: unknown): boolean =>
    Array.isArray(value) && value.length > 0 && value.every((key) => typeof key === 'string' && key !== '');
  const keys = optional<true | string[]>(rule, 'drop-tags', (value) => value === true || isKeys(value));
  if (keys === undefined) return noTags;
  return keys === true ? 'all' : new Set(keys);
}

function optional<T>(rule: Json, field: Field, isRight: (value: unknown) => boolean): T | undefined {
  const value = rule[field];
  if (value === undefined) return undefined;
  if (!isRight(value)) throw wrong(rule, field);
  return value as T;
}

function wrong(rule: Json, field: Field): TabaError {
  return fault(`${field}: ${JSON.stringify(rule[field])} is wrong: it takes ${fields[field]}`);
}

function fault(message: string): TabaError {
  return new TabaError('bad_setting', message);
}
