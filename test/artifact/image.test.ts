import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from '../../src/cli/parse.js';
import { resolveSettings } from '../../src/cli/settings/resolve.js';

const root = join(import.meta.dirname, '../..');
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
const instructions = dockerfile.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
const final = instructions.slice(instructions.findLastIndex((line) => line.startsWith('FROM ')));

t.test('the image runs the executable alone, as a numeric user that is not root', (t) => {
  t.ok(final.includes('ENTRYPOINT ["/taba"]'));
  const user = final.find((line) => line.startsWith('USER '))?.slice('USER '.length) ?? '';
  t.match(user, /^[1-9]\d*:[1-9]\d*$/);
  t.notOk(
    final.some((line) => line.startsWith('RUN ')),
    'the last base needs no shell',
  );
  const copied = final.filter((line) => line.startsWith('COPY '));
  t.ok(
    copied.every((line) => line.includes('--from=build /out/') || line.includes(`--chown=${user} /out/`)),
    'nothing of the sources',
  );
  t.end();
});

t.test('what the build reads is let through by .dockerignore', (t) => {
  const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
  t.ok(ignored.includes('*'), 'everything is kept out, unless it is named');
  for (const needed of ['package.json', 'package-lock.json', 'tsconfig.json', 'LICENSE', 'build', 'src']) {
    t.ok(ignored.includes(`!${needed}`), needed);
  }
  for (const secret of ['.git', '.npmrc', '.env']) t.notOk(ignored.includes(`!${secret}`), secret);
  t.end();
});

const manifests = ['taba.yaml', 'cluster.yaml'].map((name) => ({
  name,
  text: readFileSync(join(root, 'build/kubernetes', name), 'utf8'),
}));

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

t.test('the manifests mount what a read-only root needs, and run as the user of the image', (t) => {
  const [uid] = (final.find((line) => line.startsWith('USER '))?.slice(5) ?? '').split(':');
  for (const { name, text } of manifests) {
    const containers = count(text, 'readOnlyRootFilesystem: true');
    t.equal(containers, count(text, ' image: '), `${name}: every container`);
    t.equal(count(text, 'mountPath: /tmp'), count(text, 'image: taba:'), `${name}: those that run Taba`);
    for (const [, found] of text.matchAll(/runAsUser: (\d+)/g)) if (found !== '0') t.equal(found, uid, name);
    const graces = [...text.matchAll(/terminationGracePeriodSeconds: (\d+)/g)].map(([, sec]) => Number(sec));
    t.equal(graces.length, count(text, '  template:\n'), name);
    for (const sec of graces) t.ok(sec > 20, `${name}: longer than the default of --drain-deadline`);
  }
  t.end();
});

t.test('the command lines of the manifests are ones that Taba takes, with the settings they mount', (t) => {
  for (const { name, text } of manifests) {
    const lines = [...text.matchAll(/^ +args: \[(.*)\]$/gm)].map(([, list = '']) =>
      list.split(',').map((word) => word.trim().replaceAll('"', '').replace('$(POD_IP)', '10.0.0.7')),
    );
    t.ok(lines.length >= 2, name);
    const folder = t.testdir();
    const [, json] = /server\.json: \|\n((?: {4}.*\n)+)/.exec(text) ?? [];
    if (json !== undefined) writeFileSync(join(folder, 'server.json'), json);
    const env = Object.fromEntries([...text.matchAll(/name: (TABA_[A-Z_]+)/g)].map(([, key]) => [key, 'x']));
    for (const words of lines) {
      const parsed = parse(
        words.map((word) => word.replace('/etc/taba', folder)),
        100,
      );
      if (typeof parsed === 'string') throw new Error(parsed);
      const { daemon } = parsed.command;
      if (daemon === undefined) throw new Error(`${words.join(' ')} runs no daemon`);
      const { values, given } = resolveSettings(daemon, {
        flags: parsed.args.flags,
        env,
        folder,
      });
      if (json !== undefined && parsed.command.name === 'server') {
        t.equal(values.store, 'redis');
        t.equal(given.get('redis-password'), 'environment', 'not where everybody can read it');
      }
    }
  }
  t.end();
});
