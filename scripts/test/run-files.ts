/** Runs bundled test files as processes of their own, as many at a time as there are cores: `run-files.ts FOLDER FILE...` */
import { availableParallelism } from 'node:os';
import t from 'tap';
import { bundleOf } from './bundles.js';

/** Twice what one that runs alone may need: here it shares the machine. */
const timeoutSeconds = 600;
const [folder = '', ...files] = process.argv.slice(2);

// The limit is each file's own.
t.setTimeout(0);
t.jobs = availableParallelism();
for (const file of files) {
  void t.spawn(process.execPath, ['--enable-source-maps', bundleOf(file, folder)], {
    name: file,
    buffered: true,
    timeout: timeoutSeconds * 1000,
    // The file's process keeps the limit itself too, and says which of its tests was under way.
    env: { ...process.env, TAP_TIMEOUT: String(timeoutSeconds), TEST_BUNDLES: folder },
    // Where a file is started from here says nothing of its failure.
    at: null,
    stack: '',
  });
}
