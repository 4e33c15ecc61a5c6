import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, parse } from 'node:path';

const folder = join(import.meta.dirname, '../../../src/storage/redis/lua');
let names: ReadonlyMap<string, string> | undefined;

/** Which of the store's scripts has this SHA-1: append, acquire, … */
export function scriptName(sha: string): string | undefined {
  names ??= new Map(
    (existsSync(folder) ? readdirSync(folder) : []).map((file) => {
      const hash = createHash('sha1').update(readFileSync(join(folder, file)));
      return [hash.digest('hex'), parse(file).name];
    }),
  );
  return names.get(sha);
}
