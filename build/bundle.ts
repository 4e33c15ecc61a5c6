import { copyFile, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { luaScripts } from './lua-scripts.js';

const root = join(import.meta.dirname, '..');
const require = createRequire(import.meta.url);

export interface Addon {
  /** Name of the asset in the executable, and of the file beside the bundle. */
  readonly name: string;
  /** Where the package has it. */
  readonly path: string;
}

/** The native part of uWebSockets.js for this platform and this version of Node; its package carries forty others. */
export function uwsAddon(): Addon {
  const folder = dirname(require.resolve('uWebSockets.js'));
  const name = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;
  return { name, path: join(folder, name) };
}

/**
 * Loads the addon from the executable's assets, or from beside the bundle.
 *
 * An asset becomes a file for a moment only, since nothing but a file can be loaded; the folder is fresh and private, so
 * that nobody can put another file in its place. Where the temporary folder forbids execution, the message says so.
 */
function addonLoader(addon: Addon): string {
  return `
const fs = require('node:fs');
const { join } = require('node:path');
const sea = require('node:sea');
const name = ${JSON.stringify(addon.name)};
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

function nativeAddons(addon: Addon): Plugin {
  return {
    name: 'native-addons',
    setup(context) {
      context.onResolve({ filter: /^uWebSockets\.js$/ }, () => ({ path: addon.name, namespace: 'addon' }));
      context.onLoad({ filter: /.*/, namespace: 'addon' }, () => ({
        contents: addonLoader(addon),
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

/** Bundles src/main.ts into one CommonJS file, with the addon beside it. @returns the file */
export async function bundle(outFolder: string, version: string): Promise<string> {
  const outfile = join(outFolder, 'taba.cjs');
  const addon = uwsAddon();
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
    plugins: [nativeAddons(addon), luaScripts()],
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
  await copyFile(addon.path, join(outFolder, basename(addon.path)));
  return outfile;
}
