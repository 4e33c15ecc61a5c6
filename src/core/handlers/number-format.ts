/** The percentiles that every rendering shows, in this order. */
export const shownPercentiles = [0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999] as const;

/**
 * A sum of doubles that went beyond them is an infinity, or NaN once both infinities met. People and programs get the
 * largest double (or 0) instead, JSON having no infinities, and the detailed form says `saturated`.
 */
export function saturated(total: number): number {
  if (Number.isFinite(total)) return total;
  return Number.isNaN(total) ? 0 : Math.sign(total) * Number.MAX_VALUE;
}

export function average(total: number, count: number): number {
  return count > 0 ? saturated(total) / count : 0;
}

/** A count for people, who want it whole: sampled events have fractional weights, which are kept and only rounded here. */
export function countText(count: number): string {
  return String(Math.round(count));
}

/** A measured value for people: two decimals, or three significant digits below 0.01, where latencies in seconds live. */
export function valueText(value: number): string {
  const finite = saturated(value);
  if (finite === 0 || Math.abs(finite) >= 0.01) return finite.toFixed(2);
  return finite.toPrecision(3);
}

export function percentilesText(percentiles: readonly number[]): string {
  return `[${percentiles.map(valueText).join(', ')}]`;
}

/** Lines of `"key": value` in braces, as the first Taba's page shows them. */
export function blockText(rows: readonly (readonly [key: string, value: string])[]): string {
  if (rows.length === 0) return '{}';
  return `{\n${rows.map(([key, value]) => `    ${JSON.stringify(key)}: ${value}`).join(',\n')}}`;
}

/** `{"key": value, …}` on one line. */
export function lineText(rows: readonly (readonly [key: string, value: string])[]): string {
  return `{${rows.map(([key, value]) => `${JSON.stringify(key)}: ${value}`).join(', ')}}`;
}
