import { nameEscapeBytes, tagEscapeBytes } from '../../core/names.js';

/** What a line says it is, in the order of their numbers. */
export const metricKinds = ['c', 'g', 'ms', 'h', 'd', 's'] as const;
export type MetricKind = (typeof metricKinds)[number];

export const gaugeKind = metricKinds.indexOf('g');
export const setKind = metricKinds.indexOf('s');

/** A tag as it stands in a tab name: escaped, `value` undefined for a tag that is a mere word. */
export interface MetricTag {
  readonly key: string;
  readonly value: string | undefined;
}

/** Name and tags of a metric, escaped for a tab name, tags in the order of the line. */
export interface MetricName {
  readonly name: string;
  readonly tags: readonly MetricTag[];
}

const comma = 44;
const colon = 58;
const semicolon = 59;
const equals = 61;
const hash = 35;

/** The byte between tags in a name, by the byte that begins them: Graphite `;`, InfluxDB `,`, Librato `#`. */
const separators: ReadonlyMap<number, number> = new Map([
  [semicolon, semicolon],
  [comma, comma],
  [hash, comma],
]);

/** Whether tags follow this byte of a name. */
export function beginsTags(byte: number): boolean {
  return separators.has(byte);
}

/**
 * Takes the name part of a line apart: a name, and behind the first `;` `,` or `#` its tags. The tags of the DogStatsD field
 * (from `tagStart` on, without `#`) follow. Empty tags are left out.
 */
export function metricNameOf(
  bytes: Uint8Array,
  nameStart: number,
  nameEnd: number,
  tagStart: number,
  tagEnd: number,
): MetricName {
  const tags: MetricTag[] = [];
  let end = nameStart;
  while (end < nameEnd && !separators.has(bytes[end]!)) end++;
  const separator = separators.get(bytes[end]!);
  if (end < nameEnd && separator !== undefined) addTags(tags, bytes, end + 1, nameEnd, separator, equals);
  addTags(tags, bytes, tagStart, tagEnd, comma, colon);
  return { name: nameEscapeBytes(bytes, nameStart, end), tags };
}

function addTags(
  tags: MetricTag[],
  bytes: Uint8Array,
  start: number,
  end: number,
  separator: number,
  assign: number,
): void {
  for (let at = start; at < end; at++) {
    const from = at;
    let middle = -1;
    for (; at < end && bytes[at] !== separator; at++) if (middle < 0 && bytes[at] === assign) middle = at;
    if (at === from) continue;
    const key = tagEscapeBytes(bytes, from, middle < 0 ? at : middle);
    tags.push({ key, value: middle < 0 ? undefined : tagEscapeBytes(bytes, middle + 1, at) });
  }
}

/** How a tag is written in a tab name. */
export function pairOf({ key, value }: MetricTag): string {
  return value === undefined ? key : `${key}=${value}`;
}
