import { TabaError } from '../../core/errors.js';
import type { Handler } from '../../core/handlers/handler.js';
import type { HandlerRegistry } from '../../core/handlers/registry.js';

/** @throws TabaError `unknown_type`: additional handlers are to be loaded on every server */
export function handlerOf(type: string | undefined, registry: HandlerRegistry): Handler {
  const handler = registry.get(type ?? '');
  if (handler !== undefined) return handler;
  throw new TabaError('unknown_type', `no handler for ${type} is loaded here`);
}
