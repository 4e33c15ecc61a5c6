/**
 * `npm run build`: dist/taba.cjs (runs with `node dist/taba.cjs`), dist/taba (one executable, needs nothing else) and
 * dist/client/ (the SDK as a package). `npm run build -- --bundle` stops after the bundle.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundle } from './bundle.js';
import { makeExecutable } from './executable.js';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

await step('dist/taba.cjs', () => bundle(dist, version));
if (!process.argv.includes('--bundle')) {
  await step('dist/taba', () => makeExecutable(join(dist, 'taba.cjs'), join(dist, 'taba'), version, root));
  const clientBuild = join(import.meta.dirname, 'client-package.ts');
  if (existsSync(clientBuild)) {
    await step('dist/client', async () => {
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
  const path = join(root, name);
  const size = statSync(path).isFile() ? `, ${(statSync(path).size / 2 ** 20).toFixed(1)} MiB` : '';
  console.log(`${name}: ${((performance.now() - beganAtMs) / 1000).toFixed(1)} s${size}`);
}
