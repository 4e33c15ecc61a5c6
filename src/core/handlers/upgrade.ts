import type { ByteReader } from '../bytes.js';
import { TabaError } from '../errors.js';

/** `upgrade` of a Handler that still has its first version: there is nothing older to read. */
export function neverHad(type: string): (input: ByteReader, fromVersion: number) => never {
  return (_input, fromVersion) => {
    throw new TabaError('corrupt', `${type} never had a version ${fromVersion}`);
  };
}
