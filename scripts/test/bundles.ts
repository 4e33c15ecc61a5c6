/**
 * The test files as bundles: a bundle starts in half a second, a test file whose every import goes through tsx in two or
 * three. What several need is in files that they share, so that all bundles together are made within seconds.
 */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';

const root = join(import.meta.dirname, '../..');

/** What tests start as processes of their own, some of it many times. */
const programs = [
  'src/main.ts',
  'test/agent/killable-agent.ts',
  'test/cli/fake-worker.ts',
  'test/cli/workers-parent.ts',
  'test/scripts/redis-parent.ts',
  'test/storage/embedded/writer.ts',
  'test/system/otlp/application.ts',
];

/** A module goes on finding what lies beside its source: fixtures, Lua scripts, the programs that it starts. */
const atHome: Plugin = {
  name: 'at-home',
  setup(context) {
    context.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const home = { url: pathToFileURL(path).href, dirname: dirname(path) };
      // Not where it is quoted: that is the name of something to replace in other bundles.
      const contents = source.replace(
        /(?<!')import\.meta\.(url|dirname)\b/g,
        (_, property: keyof typeof home) => JSON.stringify(home[property]),
      );
      return { contents, loader: 'ts' };
    });
  },
};

/** @param files test files, from the project's root on @param outFolder within the project: packages stay where they are */
export async function bundleTests(files: readonly string[], outFolder: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: [...files, ...programs],
    outdir: outFolder,
    outbase: root,
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'linked',
    outExtension: { '.js': '.mjs' },
    plugins: [atHome],
    logLevel: 'warning',
  });
}

/** @param file a test file, from the project's root on */
export function bundleOf(file: string, outFolder: string): string {
  return join(outFolder, file.replace(/\.ts$/, '.mjs'));
}
