import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Plugin } from 'esbuild';

/** The scripts of the Redis store, inside: nothing is read from a folder that the executable does not have. */
export function luaScripts(): Plugin {
  return {
    name: 'lua-scripts',
    setup(context) {
      context.onLoad({ filter: /storage[/\\]redis[/\\]lua-sources\.ts$/ }, async ({ path }) => {
        const folder = join(dirname(path), 'lua');
        const sources: Record<string, string> = {};
        for (const file of await readdir(folder)) {
          sources[basename(file, '.lua')] = await readFile(join(folder, file), 'utf8');
        }
        return {
          contents: `const sources = ${JSON.stringify(sources)};\nexport const luaSource = (name) => sources[name];`,
          loader: 'js',
        };
      });
    },
  };
}
