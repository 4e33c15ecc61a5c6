import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { builtinHandlers, type HandlerRegistry, loadHandlers } from '../core/handlers/registry.js';
import { CommandFailure } from './usage-error.js';

/**
 * The built-in handlers, and those of the modules that the setting `additional-handlers` names.
 *
 * The modules are read from the disk at run time, also by the single executable, whose own `require` knows built-in
 * modules only: hence a `require` made for the very file. It takes CommonJS, and ES modules without top-level await.
 *
 * @throws CommandFailure naming the tab type and the file
 */
export function handlersWith(files: Readonly<Record<string, string>> | undefined): HandlerRegistry {
  const registry = builtinHandlers();
  for (const [type, file] of Object.entries(files ?? {})) {
    let found: unknown;
    try {
      found = createRequire(pathToFileURL(file))(file);
    } catch (error) {
      throw new CommandFailure(
        `additional-handlers: ${type}: cannot load ${file}: ${(error as Error).message}`,
      );
    }
    try {
      loadHandlers(registry, { [type]: found });
    } catch (error) {
      throw new CommandFailure(`${(error as Error).message} (in ${file})`);
    }
  }
  return registry;
}
