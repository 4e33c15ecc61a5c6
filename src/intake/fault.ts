import { type ErrorCode, TabaError } from '../core/errors.js';

/** What an additional Handler throws at a value is a fault of that value, whatever it is. */
export function faultCode(error: unknown): ErrorCode {
  return error instanceof TabaError ? error.code : 'bad_value';
}

/** What is said of it. */
export function faultMessage(error: unknown, tab: string): string {
  const message = error instanceof Error ? error.message : String(error);
  // Faults of the name itself show it, escaped and clipped.
  return error instanceof TabaError && error.code === 'bad_name' ? message : `${tab}: ${message}`;
}
