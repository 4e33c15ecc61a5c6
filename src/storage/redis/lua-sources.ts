import { readFileSync } from 'node:fs';

/** The text of a script. The bundle has all of them inside: its build replaces this file. */
export function luaSource(name: string): string {
  return readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8');
}
