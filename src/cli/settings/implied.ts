import type { SettingName, SettingValues } from './table.js';

/** Settings whose value follows from others where they are not given. */
export function withImplied(values: SettingValues, isGiven: (name: SettingName) => boolean): SettingValues {
  const isShared = values.redis !== undefined || values.sentinel !== undefined;
  return {
    ...values,
    store: isShared && !isGiven('store') ? 'redis' : values.store,
    'redis-wait': values['redis-wait'] ?? (values.sentinel === undefined ? 0 : 1),
  };
}
