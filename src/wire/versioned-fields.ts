import { TabaError } from '../core/errors.js';
import { Fields } from './fields.js';
import { unpack } from './msgpack.js';

/**
 * The fields of a msgpack array that begins with the version of its layout. Servers of one cluster may be of neighbouring
 * releases: another version is refused by name.
 *
 * @param path what it is, for faults @throws TabaError `bad_framing`, `unsupported_version`
 */
export function versionedFields(bytes: Uint8Array, path: string, version: number): Fields {
  const values = unpack(bytes);
  if (!Array.isArray(values)) throw new TabaError('bad_framing', `${path} is not an array`);
  const fields = new Fields(values, path);
  const found = fields.integer('version');
  if (found === version) return fields;
  throw new TabaError('unsupported_version', `${path} of version ${found}; this server speaks ${version}`);
}
