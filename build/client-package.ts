import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type BuildOptions, build, type Plugin } from 'esbuild';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');

/** `taba` on the registry belongs to another project. */
const packageName = 'taba-client';

/**
 * Makes the SDK a package of its own: one bundle without dependencies, for `import` and `require` alike, and its
 * declarations. The code is CommonJS and the module for `import` hands it on, so that a process that uses both has one SDK.
 *
 * @param outFolder is created; what it held under the same names is replaced
 */
export async function buildClientPackage(outFolder: string): Promise<void> {
  const { version, license, engines } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    version: string;
    license: string;
    engines: unknown;
  };
  await mkdir(outFolder, { recursive: true });
  const names = await bundleClient(join(outFolder, 'index.cjs'));
  await writeFile(
    join(outFolder, 'index.mjs'),
    `import client from './index.cjs';\nexport const { ${names.join(', ')} } = client;\n`,
  );
  await declare(join(outFolder, 'types'));
  await copyFile(join(root, 'LICENSE'), join(outFolder, 'LICENSE'));
  await copyFile(join(root, 'build/client-readme.md'), join(outFolder, 'README.md'));
  await writeFile(
    join(outFolder, 'package.json'),
    `${JSON.stringify(
      {
        name: packageName,
        version,
        description: 'Records events for Taba, and reads aggregates: rolling counts, totals and percentiles.',
        license,
        engines,
        type: 'commonjs',
        main: './index.cjs',
        module: './index.mjs',
        types: './types/cjs/client/index.d.ts',
        exports: {
          '.': {
            import: { types: './types/esm/client/index.d.ts', default: './index.mjs' },
            require: { types: './types/cjs/client/index.d.ts', default: './index.cjs' },
          },
          './package.json': './package.json',
        },
        sideEffects: false,
        files: ['index.cjs', 'index.mjs', 'types'],
      },
      null,
      2,
    )}\n`,
  );
}

/** @returns the names that the bundle exports */
async function bundleClient(outfile: string): Promise<readonly string[]> {
  const options: BuildOptions = {
    absWorkingDir: root,
    entryPoints: ['src/client/index.ts'],
    bundle: true,
    platform: 'node',
    target: 'node20',
    plugins: [withoutAccelerators],
    logLevel: 'warning',
  };
  await build({
    ...options,
    outfile,
    format: 'cjs',
    define: { 'import.meta.url': 'bundleUrl' },
    banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
    legalComments: 'eof',
  });
  const { metafile } = await build({ ...options, outfile, format: 'esm', write: false, metafile: true });
  const [output] = Object.values(metafile?.outputs ?? {});
  return output?.exports ?? [];
}

/** Optional native parts of ws and msgpackr; the error is the one they expect, so that they do without. */
const withoutAccelerators: Plugin = {
  name: 'without-accelerators',
  setup(context) {
    context.onResolve({ filter: /^(msgpackr-extract|bufferutil|utf-8-validate)$/ }, ({ path }) => ({
      path,
      namespace: 'absent',
    }));
    context.onLoad({ filter: /.*/, namespace: 'absent' }, ({ path }) => ({
      contents: `throw Object.assign(new Error(${JSON.stringify(`Cannot find module '${path}'`)}), { code: 'MODULE_NOT_FOUND' });`,
    }));
  },
};

/**
 * Declarations, twice: what a `.d.ts` is to TypeScript, module or CommonJS, follows from the nearest package.json.
 * Only those that the entry reaches are kept.
 */
async function declare(folder: string): Promise<void> {
  await mkdir(join(root, '.tmp'), { recursive: true });
  const emitted = await mkdtemp(join(root, '.tmp', 'declarations-'));
  try {
    const config = join(emitted, 'tsconfig.json');
    await writeFile(
      config,
      JSON.stringify({
        extends: join(root, 'tsconfig.json'),
        compilerOptions: {
          noEmit: false,
          declaration: true,
          emitDeclarationOnly: true,
          outDir: join(emitted, 'out'),
          rootDir: join(root, 'src'),
          typeRoots: [join(root, 'node_modules/@types')],
          removeComments: false,
        },
        include: [],
        files: [join(root, 'src/client/index.ts')],
      }),
    );
    await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', config]);
    const reached = new Map<string, string>();
    await reach(join(emitted, 'out', 'client/index.d.ts'), reached);
    await rm(folder, { recursive: true, force: true });
    for (const [kind, type] of [
      ['esm', 'module'],
      ['cjs', 'commonjs'],
    ] as const) {
      for (const [file, text] of reached) {
        const target = join(folder, kind, relative(join(emitted, 'out'), file));
        await mkdir(dirname(target), { recursive: true });
        await writeFile(target, text);
      }
      await writeFile(join(folder, kind, 'package.json'), `${JSON.stringify({ type })}\n`);
    }
  } finally {
    await rm(emitted, { recursive: true, force: true });
  }
}

async function reach(file: string, reached: Map<string, string>): Promise<void> {
  if (reached.has(file)) return;
  const text = await readFile(file, 'utf8');
  // `[Symbol.asyncDispose]` is declared here, which a consumer's own `lib` may not know.
  const isDisposable = text.includes('Symbol.asyncDispose');
  reached.set(file, isDisposable ? `/// <reference lib="esnext.disposable" />\n${text}` : text);
  for (const [, specifier] of text.matchAll(/(?:from|import\()\s*['"](\.[^'"]+)\.js['"]/g)) {
    await reach(`${resolve(dirname(file), specifier!)}.d.ts`, reached);
  }
}
