/**
 * `npm run build`: dist/taba.cjs (runs with `node dist/taba.cjs`), dist/taba (one executable, needs nothing else) and
 * dist/client/ (the SDK as a package). `npm run build -- --bundle` stops after the bundle, `-- --executable` after the
 * executable; `--out DIR` writes elsewhere.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { bundle } from './bundle.js';
import { makeExecutable } from './executable.js';

const root = join(import.meta.dirname, '..');
const { values: flags } = parseArgs({
  options: {
    out: { type: 'string', default: join(root, 'dist') },
    bundle: { type: 'boolean', default: false },
    executable: { type: 'boolean', default: false },
  },
});
const dist = resolve(flags.out);
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

await step('taba.cjs', () => bundle(dist, version));
if (!flags.bundle) {
  await step('taba', () => makeExecutable(join(dist, 'taba.cjs'), join(dist, 'taba'), version, root));
}
if (!flags.bundle && !flags.executable) {
  const clientBuild = join(import.meta.dirname, 'client-package.ts');
  if (existsSync(clientBuild)) {
    await step('client', async () => {
      await rm(join(dist, 'client'), { recursive: true, force: true });
      const { buildClientPackage } = (await import(pathToFileURL(clientBuild).href)) as {
        buildClientPackage(outFolder: string): Promise<unknown>;
      };
      await buildClientPackage(join(dist, 'client'));
    });
  }
}

async function step(name: string, make: () => Promise<unknown>): Promise<void> {
  const beganAtMs = performance.now();
  await make();
  const path = join(dist, name);
  const size = statSync(path).isFile() ? `, ${(statSync(path).size / 2 ** 20).toFixed(1)} MiB` : '';
  console.log(`${relative(root, path)}: ${((performance.now() - beganAtMs) / 1000).toFixed(1)} s${size}`);
}
