'use strict';
/**
 * Where the executable begins: runs the bundle with what V8 made of it when the executable was built (see code-cache.cjs). Where that
 * does not fit, as with a V8 flag in NODE_OPTIONS, V8 compiles the bundle again, without a word and some 30 ms slower.
 */
const { getAsset, getRawAsset } = require('node:sea');
const { Script } = require('node:vm');

const bundle = new Script(getAsset('bundle', 'utf8'), {
  filename: __filename,
  cachedData: new Uint8Array(getRawAsset('code-cache')),
});
bundle.runInThisContext()(exports, require, module, __filename, __dirname);
