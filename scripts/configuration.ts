/** `npm run docs` writes docs/configuration.md from the table of settings; a test holds the two together. */
import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { variableOf } from '../src/cli/settings/environment.js';
import {
  daemons,
  type Setting,
  type SettingName,
  settingNames,
  settings,
} from '../src/cli/settings/table.js';

export const configurationFile = join(import.meta.dirname, '../docs/configuration.md');

export function configurationDocument(): string {
  return `# Configuration

A flag \`--max-tabs 5\`, a variable \`TABA_MAX_TABS=5\` and a key \`"max-tabs": 5\` in the settings file that \`--config\` (or \`TABA_CONFIG\`) names
are the same setting. A flag wins over the environment, the environment over the file, the file over the default.

- A wrong value is refused at start (exit code 2) with its name, its value and what would be right. Nothing is coerced:
  \`"port": "8300"\` in a file is a string, and refused.
- A setting that does not exist is refused, with the nearest that does: keys of a file, flags, and variables that begin with \`TABA_\`.
  A file may hold only settings of the daemon that reads it; variables of other daemons are not looked at.
- Times are milliseconds, or carry a unit: \`250ms\`, \`10s\`, \`5m\`, \`48h\`, \`7d\`. Sizes are bytes, or \`512KiB\`, \`64MiB\`, \`1GiB\`.
- Several values are separated by commas, or the flag is repeated; in a file they are an array. Regular expressions are
  never taken apart at commas.
- Flags that are on or off are switched off with \`--no-…\`; in the environment they are \`true\` or \`false\`.
- Relative paths begin at the present folder; in a settings file at the folder of the file.
- Commands that ask a server take \`--server\` or \`TABA_SERVER\`, and nothing else of this.

\`\`\`json
{ "host": "0.0.0.0", "data": "/var/lib/taba", "checkpoint-interval": "10s", "name-denylist": ["test_.*"] }
\`\`\`

\`\`\`json
{ "role": "be", "sentinel": ["s1:26379", "s2:26379", "s3:26379"], "shard": ["shard1:0-499", "shard2:500-999"] }
\`\`\`

## Settings

| setting | of | default | value | meaning |
| --- | --- | --- | --- | --- |
${settingNames.map(row).join('\n')}

## Settings that depend on each other

- \`spool-max-age\` must be shorter than 7 days: that is when servers forget a producer, and with it what they counted for it.
- \`redis\` or \`sentinel\` implies the \`store\` \`redis\`; not both. \`sentinel\` needs \`shard\`s, named as the Sentinels name the masters; together
  they hold each bucket from 0 to \`buckets\` - 1 once. What begins with \`redis-\`, \`sentinel-user\`, \`sentinel-password\`, \`heartbeat-interval\`
  and \`lease\` go with that store only.
- \`redis-wait\` is 1 with \`sentinel\` and 0 with \`redis\` unless given; docs/operations.md says what it has to be.
- \`redis-ca\`, \`redis-cert\` and \`redis-key\` need \`redis-tls\` or \`rediss://\`; the last two go together. User and password stand in the URL or
  in settings of their own, not in both.
- The embedded and the memory store belong to one process that has the role \`be\`: other \`role\`s, or \`workers\` above 1, need the redis store.
- \`workers\` above 1: worker i listens on \`port\` + i (with \`port\` 0 each on a free one), is advertised under the port of \`advertise\` + i, and writes
  its \`profile\` to \`FILE.i\`.
- \`lease\` is a multiple of \`heartbeat-interval\`, at least three times it. Every server of a cluster needs the same of both.
- \`data\` goes with the embedded store; \`taba up\` takes it with the redis store too, for its spool. \`spool-fsync\` goes with a \`spool\`.
- \`max-decompressed-bytes\` is at least \`max-body-bytes\`, \`prune-tab\` at least \`prune-client\`.
- \`port\` and \`agent-port\` of \`taba up\` differ. Its agent spools into the folder \`spool\` below \`data\` unless \`spool\` names another.

## Secrets

\`redis-password\`, \`sentinel-password\` and a password in \`redis\` never stand in a log line or an error. As a flag every user of the host can read
them (\`ps\`); that is logged as \`secret_on_command_line\`. Give them as \`TABA_REDIS_PASSWORD\` and \`TABA_SENTINEL_PASSWORD\`, or in a file that only
Taba can read.

## Kubernetes

For a service named \`taba\`, Kubernetes gives pods variables such as \`TABA_PORT=tcp://10.0.0.1:8300\` and \`TABA_SERVICE_HOST\`. They are
ignored, with one log line (\`environment_ignored\`). \`build/kubernetes/taba.yaml\` switches them off.

## Settings files of the first Taba

A file with upper-case keys is read as one of the first Taba's.

| key of an agent's file | setting |
| --- | --- |
| \`AGENT_PORT\` | \`port\` |
| \`AGENT_FLUSH_SECONDS\` | \`flush-interval\` |
| \`SERVER_ENDPOINTS\`: list of \`{"host", "port"}\` | \`server\` |
| \`AGENT_QUEUES_PER_SERVER\` | \`queues-per-server\` |
| \`DOUBLE_AGENT\`: an agent's settings again | \`mirror\`: its \`SERVER_ENDPOINTS\` |

| key of a server's file | setting |
| --- | --- |
| \`SERVER_ROLES\` | \`role\` |
| \`SERVER_WORKERS\` | \`workers\` |
| \`BASE_PORT\` | \`port\` |
| \`AGENT_PORT\` | none: a server keeps its own events itself (logged as \`setting_without_effect\`) |
| \`DB_SETTINGS.USE_MEMORY_DB\` | \`store\`: \`memory\` |
| \`DB_SETTINGS.NUM_VBUCKETS\` | \`buckets\` |
| \`DB_SETTINGS.SENTINELS\`: list of \`[host, port]\` | \`sentinel\`, and \`redis-wait\` 0 (logged as \`setting_assumed\`) unless a flag or variable says more |
| \`DB_SETTINGS.SHARDS\`: list of \`{"shard_name", "vbuckets": [first, last]}\` | \`shard\` |
| \`NAME_BLACKLIST\`, \`CLIENT_BLACKLIST\` | \`name-denylist\`, \`client-denylist\` |
| \`ADDITIONAL_HANDLERS\`: type and module | \`additional-handlers\`: type and file |
| \`DEBUG\` | \`log-level\`: \`debug\` |
`;
}

function row(name: SettingName): string {
  const { of, kind, description } = settings[name] as Setting;
  const { takes, placeholder } = kind;
  const value = placeholder === '' ? 'on or off' : takes;
  const users = of.length === daemons.length ? 'all' : of.join(', ');
  const cells = [`\`${name}\` (\`${variableOf(name)}\`)`, users, shownDefault(name), value, description];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function shownDefault(name: SettingName): string {
  const { kind, default: fallback, defaultOf } = settings[name] as Setting;
  if (fallback === undefined) return '';
  if (fallback === hostname()) return 'host name';
  const others = Object.entries(defaultOf ?? {}).map(
    ([daemon, value]) => ` (${daemon}: ${kind.show(value)})`,
  );
  return kind.show(fallback) + others.join('');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(configurationFile, configurationDocument());
}
