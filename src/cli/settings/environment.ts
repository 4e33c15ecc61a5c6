import { didYouMean } from '../nearest.js';
import { UsageError } from '../usage-error.js';
import { workerVariable } from '../worker-channel.js';
import { type SettingName, settingNames } from './table.js';

export interface FromEnvironment {
  readonly texts: ReadonlyMap<SettingName, readonly string[]>;
  /** The settings file that TABA_CONFIG names. */
  readonly config: string | undefined;
  /** Variables that Kubernetes injected for services whose names begin with `taba`. */
  readonly injected: readonly string[];
}

const prefix = 'TABA_';

/** The variable of a setting: `max-tabs` is TABA_MAX_TABS. */
export function variableOf(name: string): string {
  return prefix + name.toUpperCase().replaceAll('-', '_');
}

/**
 * Kubernetes gives every pod variables for the services beside it. A service named `taba` yields `TABA_PORT=tcp://…`,
 * which would otherwise be read as the setting `port`; the value decides there, since TABA_PORT and TABA_AGENT_PORT are settings.
 * https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
function isInjected(name: string, value: string): boolean {
  return (
    /^TABA_(.+_)?SERVICE_(HOST|PORT(_.+)?)$/.test(name) ||
    /^TABA_(.+_)?PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name) ||
    (/^TABA_(.+_)?PORT$/.test(name) && /^(tcp|udp|sctp):\/\//.test(value))
  );
}

/** Reads TABA_… variables; one that names no setting of any command is an error, since it is a misspelt one. */
export function readEnvironment(env: NodeJS.ProcessEnv): FromEnvironment {
  const byVariable = new Map<string, SettingName>(settingNames.map((name) => [variableOf(name), name]));
  const texts = new Map<SettingName, readonly string[]>();
  const injected: string[] = [];
  let config: string | undefined;
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith(prefix) || value === undefined || value === '') continue;
    if (variable === workerVariable) continue;
    const name = byVariable.get(variable);
    if (isInjected(variable, value)) injected.push(variable);
    else if (variable === 'TABA_CONFIG') config = value;
    else if (name !== undefined) texts.set(name, [value]);
    else throw new UsageError(`${variable}: no such setting${didYouMean(variable, byVariable.keys())}`);
  }
  return { texts, config, injected: injected.sort() };
}
