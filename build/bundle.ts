import { copyFile, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { luaScripts } from './lua-scripts.js';

const root = join(import.meta.dirname, '..');
const require = createRequire(import.meta.url);

/** The native part of a package. */
export interface Addon {
  /** The import that it takes the place of: what is imported, and, where that is a file, by which package. */
  readonly replaces: { readonly path: RegExp; readonly importer?: RegExp };
  /** Name of the asset in the executable, and of the file beside the bundle. */
  readonly name: string;
  /** Where the package has it. */
  readonly path: string;
}

/** The native part of uWebSockets.js for this platform and this version of Node; its package carries forty others. */
function uwsAddon(): Addon {
  const folder = dirname(require.resolve('uWebSockets.js'));
  const name = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;
  return { name, path: join(folder, name), replaces: { path: /^uWebSockets\.js$/ } };
}

/** The native part of node-unix-socket, which is a package for each platform. @returns undefined where there is none for this one */
function unixSocketAddon(): Addon | undefined {
  const inside = createRequire(require.resolve('node-unix-socket'));
  const { optionalDependencies } = inside('../package.json') as {
    optionalDependencies: Record<string, string>;
  };
  for (const platform of Object.keys(optionalDependencies)) {
    try {
      const path = inside.resolve(platform);
      return { name: basename(path), path, replaces: { path: /^\.\/addon$/, importer: /node-unix-socket/ } };
    } catch {
      // That of another platform is not installed.
    }
  }
  return undefined;
}

/** The native parts that this platform has. */
export function nativeParts(): readonly Addon[] {
  return [uwsAddon(), unixSocketAddon()].filter((addon) => addon !== undefined);
}

/**
 * Loads the addon from the executable's assets, or from beside the bundle.
 *
 * An asset becomes a file for a moment only, since nothing but a file can be loaded; the folder is fresh and private, so
 * that nobody can put another file in its place. Where the temporary folder forbids execution, the message says so.
 */
function addonLoader(name: string): string {
  return `
const fs = require('node:fs');
const { join } = require('node:path');
const sea = require('node:sea');
const name = ${JSON.stringify(name)};
function fromAsset() {
  const os = require('node:os');
  const folder = fs.mkdtempSync(join(os.tmpdir(), 'taba-'));
  const file = join(folder, name);
  try {
    fs.writeFileSync(file, new Uint8Array(sea.getRawAsset(name)), { mode: 0o500 });
    const module = { exports: {} };
    process.dlopen(module, file);
    return module.exports;
  } catch (error) {
    error.message += ' (Taba needs a temporary folder that allows execution: set TMPDIR to one)';
    throw error;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
function fromFile() {
  const file = join(__dirname, name);
  if (!fs.existsSync(file)) {
    throw new Error('taba was built for ' + name + ', which is not beside ' + __filename + ': build it on this platform, with this version of Node');
  }
  return require(file);
}
module.exports = sea.isSea() ? fromAsset() : fromFile();
`;
}

function nativeAddons(addons: readonly Addon[]): Plugin {
  return {
    name: 'native-addons',
    setup(context) {
      for (const { name, replaces } of addons) {
        context.onResolve({ filter: replaces.path }, ({ importer }) =>
          replaces.importer?.test(importer) === false ? undefined : { path: name, namespace: 'addon' },
        );
      }
      context.onLoad({ filter: /.*/, namespace: 'addon' }, ({ path }) => ({
        contents: addonLoader(path),
        loader: 'js',
      }));
      // Optional accelerators: without them the packages use JavaScript. The error is the one that they expect, so that they stay quiet.
      context.onResolve({ filter: /^(msgpackr-extract|bufferutil|utf-8-validate)$/ }, ({ path }) => ({
        path,
        namespace: 'absent',
      }));
      context.onLoad({ filter: /.*/, namespace: 'absent' }, ({ path }) => ({
        contents: `throw Object.assign(new Error(${JSON.stringify(`Cannot find module '${path}'`)}), { code: 'MODULE_NOT_FOUND' });`,
        loader: 'js',
      }));
    },
  };
}

/** Bundles src/main.ts into one CommonJS file, with the native parts beside it. @returns the file */
export async function bundle(outFolder: string, version: string): Promise<string> {
  const outfile = join(outFolder, 'taba.cjs');
  const addons = nativeParts();
  await mkdir(outFolder, { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: ['src/main.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    // Inside the executable import() has no loader: it becomes a require, which still runs its module on first use only.
    supported: { 'dynamic-import': false },
    define: {
      TABA_VERSION: JSON.stringify(version),
      'import.meta.url': 'bundleUrl',
      'import.meta.dirname': '__dirname',
    },
    banner: {
      js: "#!/usr/bin/env node\nconst bundleUrl = require('node:url').pathToFileURL(__filename).href;",
    },
    plugins: [nativeAddons(addons), luaScripts()],
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
  for (const { name, path } of addons) await copyFile(path, join(outFolder, name));
  return outfile;
}
