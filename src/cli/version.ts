import { readFileSync } from 'node:fs';

/** Put in by the build; running from source, package.json has it. */
declare const TABA_VERSION: string | undefined;

export const version: string =
  typeof TABA_VERSION === 'string'
    ? TABA_VERSION
    : (
        JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
          version: string;
        }
      ).version;
