import { join } from 'node:path';
import t from 'tap';
import { resolveSettings } from '../../../src/cli/settings/resolve.js';
import { settingNames, settings } from '../../../src/cli/settings/table.js';
import { refusal, resolve } from './resolving.js';

t.test('flag over environment over file over default', (t) => {
  const env = { TABA_MAX_TABS: '20', TABA_MAX_CLIENTS: '21' };
  const file = { 'max-tabs': 30, 'max-clients': 31, 'max-connections': 32 };
  const { values, given } = resolve(t, 'server', { flags: { 'max-tabs': '10' }, env, file });
  t.equal(values['max-tabs'], 10);
  t.equal(values['max-clients'], 21);
  t.equal(values['max-connections'], 32);
  t.equal(values['max-open-blocks'], 4);
  t.same(Object.fromEntries(given), {
    'max-tabs': 'flag',
    'max-clients': 'environment',
    'max-connections': 'file',
  });
  t.end();
});

t.test('defaults that differ by daemon, and every default is one that could be given', (t) => {
  t.equal(resolve(t, 'agent', {}).values.port, 8279);
  t.equal(resolve(t, 'server', {}).values.port, 8300);
  t.equal(resolve(t, 'up', {}).values.port, 8300);
  t.equal(resolve(t, 'up', {}).values['agent-port'], 8279);
  for (const name of settingNames) {
    const { kind, default: fallback } = settings[name] as (typeof settings)['host'];
    if (fallback === undefined) continue;
    const again = kind.fromTexts([kind.show(fallback)], process.cwd());
    t.ok(again !== undefined, `${name}: ${kind.show(fallback)}`);
  }
  t.end();
});

t.test('a wrong value is named with its place and what would be right', (t) => {
  t.match(
    refusal(t, 'server', { flags: { port: '83oo' } }),
    /^--port: "83oo" is wrong: it takes a port from 0 to 65535/,
  );
  t.match(
    refusal(t, 'server', { env: { TABA_MAX_TABS: '0' } }),
    /^TABA_MAX_TABS: "0" is wrong: it takes a whole number from 1/,
  );
  t.match(
    refusal(t, 'server', { file: { port: '8300' } }),
    /^taba\.json: "port": "8300" is wrong: it takes a port/,
  );
  t.match(refusal(t, 'server', { flags: { store: 'disk' } }), /embedded, memory and redis/);
  t.match(refusal(t, 'server', { flags: { port: ['1', '2'] } }), /^--port is given 2 times/);
  t.end();
});

t.test('misspelt and misplaced settings are refused, with the nearest right one', (t) => {
  t.match(
    refusal(t, 'server', { file: { 'max-tab': 1 } }),
    /^taba\.json: "max-tab": no such setting \(did you mean max-tabs\?\)/,
  );
  t.match(
    refusal(t, 'server', { file: { spool: 'x' } }),
    /"spool": a setting of agent and up, not of server/,
  );
  t.match(
    refusal(t, 'server', { env: { TABA_MAX_TAB: '1' } }),
    /^TABA_MAX_TAB: no such setting \(did you mean TABA_MAX_TABS\?\)/,
  );
  t.match(refusal(t, 'server', { file: '[1]' }), /one JSON object/);
  t.match(refusal(t, 'server', { file: '{"a": }' }), /^taba\.json: not JSON/);
  t.match(refusal(t, 'server', { flags: { config: 'absent.json' } }), /^--config: cannot read absent\.json/);
  t.match(
    refusal(t, 'server', { file: { constructor: 1 } }),
    /no such setting/,
    'names of objects are no settings',
  );
  t.end();
});

t.test('the settings file may be named by the environment, and paths in it begin at its folder', (t) => {
  const folder = t.testdir({
    etc: { 'taba.json': '{"data": "var", "additional-handlers": {"Mine": "mine.cjs"}}' },
  });
  const { values } = resolveSettings('server', {
    flags: new Map(),
    env: { TABA_CONFIG: 'etc/taba.json' },
    folder,
  });
  t.equal(values.data, join(folder, 'etc/var'));
  t.same(values['additional-handlers'], { Mine: join(folder, 'etc/mine.cjs') });
  t.end();
});

t.test('settings of other daemons in the environment are not looked at', (t) => {
  t.equal(resolve(t, 'agent', { env: { TABA_DATA: '/x', TABA_WORKERS: '4' } }).given.size, 0);
  t.end();
});

t.test('variables that Kubernetes injects are ignored, with one note', (t) => {
  const env = {
    TABA_PORT: 'tcp://10.0.0.1:8300',
    TABA_PORT_8300_TCP: 'tcp://10.0.0.1:8300',
    TABA_PORT_8300_TCP_PROTO: 'tcp',
    TABA_PORT_8300_TCP_PORT: '8300',
    TABA_PORT_8300_TCP_ADDR: '10.0.0.1',
    TABA_SERVICE_HOST: '10.0.0.1',
    TABA_SERVICE_PORT: '8300',
    TABA_SERVICE_PORT_HTTP: '8300',
    TABA_AGENT_PORT: 'udp://10.0.0.2:8279',
    TABA_AGENT_SERVICE_HOST: '10.0.0.2',
    TABA_MAX_TABS: '5',
  };
  const { values, notes } = resolve(t, 'up', { env });
  t.equal(values.port, 8300);
  t.equal(values['agent-port'], 8279);
  t.equal(values['max-tabs'], 5);
  t.equal(notes.length, 1);
  t.equal(notes[0]?.event, 'environment_ignored');
  t.same(
    notes[0]?.fields.variables,
    Object.keys(env)
      .filter((name) => name !== 'TABA_MAX_TABS')
      .sort(),
  );
  t.equal(
    resolve(t, 'up', { env: { TABA_PORT: '9000' } }).values.port,
    9000,
    'the setting itself still works',
  );
  t.end();
});

t.test('rules over several settings name both values', (t) => {
  const spool = refusal(t, 'agent', { flags: { 'spool-max-age': '8d' } });
  t.match(spool, /--spool-max-age 8d must be shorter than 7d/);
  t.match(refusal(t, 'agent', { flags: { 'spool-max-age': '7d' } }), /must be shorter/);
  t.equal(
    resolve(t, 'agent', { flags: { 'spool-max-age': '167h' } }).values['spool-max-age'],
    167 * 3_600_000,
  );

  t.match(refusal(t, 'agent', { flags: { 'spool-fsync': 'true' } }), /needs a --spool/);
  t.match(
    refusal(t, 'up', { flags: { port: '9000', 'agent-port': '9000' } }),
    /--port 9000 and --agent-port 9000/,
  );
  t.equal(
    resolve(t, 'up', { flags: { port: '0', 'agent-port': '0' } }).values.port,
    0,
    'two free ones are not the same',
  );
  t.match(
    refusal(t, 'server', { flags: { 'max-body-bytes': '64MiB', 'max-decompressed-bytes': '1MiB' } }),
    /--max-decompressed-bytes 1048576 is less than --max-body-bytes 67108864/,
  );
  t.match(
    refusal(t, 'server', { flags: { redis: 'redis://r', workers: '10', port: '65530' } }),
    /--workers 10 from --port 65530 on would need ports above 65535/,
  );
  const workers = { redis: 'redis://r', workers: '2' };
  t.match(
    refusal(t, 'server', { flags: { ...workers, port: '0', advertise: 'a:8300' } }),
    /--advertise a:8300 with --workers 2 and --port 0/,
  );
  t.match(
    refusal(t, 'server', { flags: { ...workers, port: '8300', advertise: '[::1]:65535' } }),
    /--advertise \[::1\]:65535 with --workers 2/,
  );
  t.match(
    refusal(t, 'server', { flags: { 'prune-tab': '1h' } }),
    /--prune-tab 1h is shorter than --prune-client 2d/,
  );
  t.end();
});
