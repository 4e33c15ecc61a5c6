import { createHash } from 'node:crypto';
import { TabaError } from '../core/errors.js';
import type { IntakeRequest } from './protocol.js';

const maxKeyLength = 256;

/** The Idempotency-Key of a body, undefined where it has none. @throws TabaError `bad_parameter` */
export function idempotencyKeyOf({ headers }: Pick<IntakeRequest, 'headers'>): string | undefined {
  const key = headers.get('idempotency-key');
  if (key !== undefined && (key === '' || key.length > maxKeyLength)) {
    throw new TabaError(
      'bad_parameter',
      `Idempotency-Key has ${key.length} characters; 1 to ${maxKeyLength} are allowed`,
    );
  }
  return key;
}

/** Of a key and its body together: 32 lower-case hex digits. */
export function digestUnder(key: string, body: Uint8Array): string {
  return createHash('sha256').update(key).update('\0').update(body).digest('hex').slice(0, 32);
}

export function usedForAnother(key: string): TabaError {
  return new TabaError(
    'idempotency_mismatch',
    `Idempotency-Key ${JSON.stringify(key)} was used for another body`,
  );
}
