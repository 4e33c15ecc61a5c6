import type { HandlerRegistry } from '../core/handlers/registry.js';
import { defaultLimits } from '../core/limits.js';
import { Mapping } from '../intake/mapping/mapping.js';
import { readRules } from '../intake/mapping/mapping-rule.js';
import type { SettingValues } from './settings/table.js';

/** The mapping rules of the settings, checked. @throws TabaError `bad_setting`, naming the rule */
export function mappingOf(settings: Pick<SettingValues, 'mapping'>, registry: HandlerRegistry): Mapping {
  const { maxExpressionBytes } = defaultLimits;
  return new Mapping(readRules(settings.mapping, { registry, maxExpressionBytes }));
}
