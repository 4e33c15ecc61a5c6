import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { commands } from '../../src/cli/commands.js';
import { optionsOf } from '../../src/cli/options.js';
import { programArguments } from '../support/program.js';
import { taba } from './terminal.js';

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

t.test('--version and --help', async (t) => {
  t.match(await taba(['--version']), { code: 0, out: /^taba \d+\.\d+\.\d+\n$/, err: '' });
  const help = await taba(['--help']);
  t.equal(help.code, 0);
  for (const command of commands)
    t.match(help.out, new RegExp(`^  ${command.name}\\b.*${command.summary.slice(0, 20)}`, 'm'));
});

t.test('the help of each command has its flags and an example that parses', async (t) => {
  for (const command of commands) {
    for (const line of [
      [command.name, '--help'],
      [command.name, 'x', '--help'],
      ['--help', command.name],
    ]) {
      const help = await taba(line);
      t.equal(help.code, 0, line.join(' '));
      for (const flag of Object.keys(optionsOf(command)))
        t.match(help.out, new RegExp(`^  --${flag}\\b`, 'm'));
    }
    t.ok(command.examples.length > 0, `${command.name} has an example`);
    for (const [line] of command.examples) t.match(line, new RegExp(`taba ${command.name}\\b`));
  }
});

t.test('what was asked for wrongly is a usage error, with what was probably meant', async (t) => {
  const rows: readonly (readonly [line: readonly string[], message: RegExp])[] = [
    [[], /taba --help lists the commands/],
    [['agr', 'x'], /^taba: agr: no such command \(did you mean agg\?\)/],
    [['agr', '--help'], /^taba: agr: no such command/],
    [['agg'], /^taba: taba agg needs <names\.\.>; taba agg --help/],
    [['agg', 'x', '--jsno'], /--jsno: taba agg has no such flag \(did you mean --json\?\)/],
    [['agg', 'x', '--server'], /server/],
    [['agg', 'x', '--server', 'a:1', '--server', 'b:1'], /--server is given 2 times/],
    [['status', 'x'], /x: taba status takes no such argument/],
    [['super'], /needs <pattern>/],
    [['server', '--flush-interval', '1s'], /^taba: --flush-interval: taba server has no such flag/],
    [
      ['server', '--redis', 'redis://x', '--sentinel', 'x:1'],
      /^taba: --redis redis:\/\/x and --sentinel x:1 both say where the store is/,
    ],
    [['server', '--workers', '2'], /--workers 2 with --store embedded/],
    [['server', '--prot', '1'], /did you mean --port\?/],
    [['completion', 'fish'], /fish: completion knows bash and zsh/],
  ];
  for (const [line, message] of rows) {
    const ran = await taba(line);
    t.equal(ran.code, 2, line.join(' '));
    t.equal(ran.out, '');
    t.match(ran.err, message);
    t.equal(ran.err.trim().split('\n').length, 1, 'in one line');
  }
});

t.test('the completion scripts are scripts', async (t) => {
  const { out } = await taba(['completion', 'bash']);
  const checked = spawnSync('bash', ['-n'], { input: out });
  t.equal(checked.status, 0, checked.stderr.toString());
  const asked = spawnSync('bash', [
    '-c',
    `${out}\nCOMP_WORDS=(taba stat); COMP_CWORD=1; _taba; echo "\${COMPREPLY[@]}"`,
  ]);
  t.equal(asked.stdout.toString(), 'status\n');
  const flags = spawnSync('bash', [
    '-c',
    `${out}\nCOMP_WORDS=(taba agg --de); COMP_CWORD=2; _taba; echo "\${COMPREPLY[@]}"`,
  ]);
  t.equal(flags.stdout.toString(), '--detail\n');
  t.match((await taba(['completion', 'zsh'])).out, /bashcompinit/);
});

t.test(
  'the completion scripts take the names of tabs for words, whatever a shell would make of them',
  async (t) => {
    const { out } = await taba(['completion', 'bash']);
    const completed = (word: string) => {
      const names = `printf '%s\\n' 'a$(id)' 'a*' 'b.c;d=e' ab`;
      const script = `${out}\ntaba() { ${names}; }\nCOMP_WORDS=(taba agg '${word}'); COMP_CWORD=2; _taba`;
      const { stdout } = spawnSync('bash', ['-c', `${script}; printf '%s\\n' "\${COMPREPLY[@]}"`]);
      return stdout.toString().split('\n').slice(0, -1);
    };
    t.same(completed('a'), ['a\\$\\(id\\)', 'a\\*', 'ab']);
    t.same(completed('a\\$\\('), ['a\\$\\(id\\)'], 'after what it wrote itself');
    t.same(completed('b.'), ['b.c\\;d=e']);
  },
);

t.test('output for which there is no room is a failure in one line', async (t) => {
  const full = openSync('/dev/full', 'w');
  t.teardown(() => closeSync(full));
  const ran = spawnSync(process.execPath, [...programArguments(main), '--version'], {
    stdio: ['ignore', full, 'pipe'],
  });
  t.equal(ran.status, 1);
  t.match(ran.stderr.toString(), /^taba: standard output: ENOSPC.*\n$/);
});
