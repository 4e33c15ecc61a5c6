import { TabaError } from '../errors.js';

/**
 * A finite number, bare or as the only element of an array (protocol v1 allows both).
 * @throws TabaError `bad_value`
 */
export function parseNumber(payload: unknown): number {
  const value = Array.isArray(payload) && payload.length === 1 ? payload[0] : payload;
  // Adding 0 turns -0 into 0: no sum and no percentile could tell them apart later.
  if (typeof value === 'number' && Number.isFinite(value)) return value + 0;
  throw new TabaError('bad_value', `${shown(payload)} is not a finite number such as 1.5, bare or as [1.5]`);
}

/** A value as an error message quotes it: its JSON, cut at 60 characters; what JSON cannot say by name. */
export function shown(payload: unknown): string {
  if (typeof payload === 'number' || payload === undefined) return String(payload);
  let json: string;
  try {
    json = JSON.stringify(payload) ?? typeof payload;
  } catch {
    json = typeof payload;
  }
  return json.length > 60 ? `${json.slice(0, 60)}…` : json;
}
