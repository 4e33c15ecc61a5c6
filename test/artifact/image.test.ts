import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

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

t.test('the manifests mount what a read-only root needs, and run as the user of the image', (t) => {
  const manifest = readFileSync(join(root, 'build/kubernetes/taba.yaml'), 'utf8');
  const containers = manifest.split('readOnlyRootFilesystem: true').length - 1;
  t.equal(containers, 3);
  t.equal(manifest.split('mountPath: /tmp').length - 1, 2, 'for the two that run Taba');
  const [uid] = (final.find((line) => line.startsWith('USER '))?.slice(5) ?? '').split(':');
  for (const [, found] of manifest.matchAll(/runAsUser: (\d+)/g)) if (found !== '0') t.equal(found, uid);
  const graceSec = Number(/terminationGracePeriodSeconds: (\d+)/.exec(manifest)?.[1]);
  t.ok(graceSec > 20, 'longer than the default of --drain-deadline');
  t.end();
});
