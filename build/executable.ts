import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { nativeParts } from './bundle.js';

const run = promisify(execFile);
const require = createRequire(import.meta.url);

interface SeaOptions {
  readonly targets: readonly {
    readonly nodeRange: string;
    readonly platform: string;
    readonly arch: string;
    readonly output: string;
  }[];
  readonly nodePath: string;
  readonly seaConfig: {
    readonly assets: Readonly<Record<string, string>>;
    readonly disableExperimentalSEAWarning: boolean;
    readonly useCodeCache: boolean;
  };
}

/**
 * Makes a single executable of `entry`: this very Node, stripped, with the bundle and the native parts inside.
 *
 * pkg's command line would fetch a Node from the net and pass no assets; its sea module does neither. It runs
 * `npx postject` in a folder below the temporary one, which is why that lies inside the project: there npx finds the
 * installed one. It ends well even when the injection failed, and leaves a plain Node: so the result is asked for its version.
 */
export async function makeExecutable(
  entry: string,
  output: string,
  version: string,
  root: string,
): Promise<void> {
  const folders = join(root, '.tmp');
  await mkdir(folders, { recursive: true });
  const folder = await mkdtemp(join(folders, 'build-'));
  const previousTmpdir = process.env.TMPDIR;
  try {
    const nodePath = join(folder, 'node');
    await copyFile(process.execPath, nodePath);
    await chmod(nodePath, 0o755);
    // Before the injection: afterwards stripping would break the file. Without binutils it only stays larger.
    await run('strip', ['--strip-all', nodePath]).catch(() => undefined);
    process.env.TMPDIR = folder;
    const bundle = join(folder, 'bundle.cjs');
    const codeCache = join(folder, 'code-cache');
    await writeFile(bundle, asFunction(await readFile(entry, 'utf8')));
    await makeCodeCache(nodePath, bundle, codeCache);
    const { default: sea } = require('@yao-pkg/pkg/lib-es5/sea.js') as {
      default(entry: string, options: SeaOptions): Promise<void>;
    };
    const fresh = join(folder, 'taba');
    await sea(join(import.meta.dirname, 'executable-entry.cjs'), {
      targets: [
        {
          nodeRange: `node${process.versions.node.split('.')[0]}`,
          platform: process.platform,
          arch: process.arch,
          output: fresh,
        },
      ],
      nodePath,
      seaConfig: {
        assets: {
          ...Object.fromEntries(nativeParts().map(({ name, path }) => [name, path])),
          bundle,
          'code-cache': codeCache,
        },
        disableExperimentalSEAWarning: true,
        // Node's own warns where V8 flags differ, and knows nothing of functions that are compiled later.
        useCodeCache: false,
      },
    });
    const { stdout } = await run(fresh, ['--version']).catch((error: Error) => ({ stdout: error.message }));
    if (stdout.trim() !== `taba ${version}`) {
      throw new Error(
        `the executable says ${JSON.stringify(stdout.trim())} instead of "taba ${version}": injecting the bundle failed`,
      );
    }
    await rm(output, { force: true });
    await copyFile(fresh, output);
    await chmod(output, 0o755);
  } finally {
    if (previousTmpdir === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = previousTmpdir;
    await rm(folder, { recursive: true, force: true });
  }
}

/** What Node makes of a CommonJS module when it loads one. */
function asFunction(commonJs: string): string {
  const body = commonJs.replace(/^#!.*/, '');
  return `(function (exports, require, module, __filename, __dirname) {${body}\n})`;
}

/** Of what a question to a server needs, up to the answer: nobody listens on port 1. */
async function makeCodeCache(node: string, bundle: string, output: string): Promise<void> {
  const question = ['agg', 'tab', '--server', 'http://127.0.0.1:1'];
  const script = join(import.meta.dirname, 'code-cache.cjs');
  await run(node, [script, bundle, output, ...question]).catch((error: { readonly stderr: string }) => {
    if (!/nobody listens there/.test(error.stderr)) throw error;
  });
}
