'use strict';
/**
 * `node code-cache.cjs BUNDLE OUTPUT ARGUMENTS`: runs the bundle, a function expression, as `taba ARGUMENTS`, and writes down what V8 has compiled
 * of it by then. Only the very Node that ran this can use that.
 */
const { readFileSync, writeFileSync } = require('node:fs');
const { Script } = require('node:vm');

const [node, , bundleFile, output, ...args] = process.argv;
process.argv = [node, 'taba', ...args];
const bundle = new Script(readFileSync(bundleFile, 'utf8'), { filename: bundleFile });
process.on('exit', () => writeFileSync(output, bundle.createCachedData()));
bundle.runInThisContext()(exports, require, module, __filename, __dirname);
