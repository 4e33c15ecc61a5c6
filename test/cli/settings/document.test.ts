import { readFileSync } from 'node:fs';
import t from 'tap';
import { configurationDocument, configurationFile } from '../../../scripts/configuration.js';

t.test('docs/configuration.md says what the table of settings says', (t) => {
  t.equal(
    readFileSync(configurationFile, 'utf8'),
    configurationDocument(),
    '`npm run docs` brings it up to date',
  );
  t.end();
});
