/**
 * The house rules that a machine can check: who may import whom, no cycles, no file that has grown too large, and an
 * error catalogue that agrees with its documentation.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { errorCatalogue } from '../src/core/errors.js';

const root = join(import.meta.dirname, '..');
const maxLines = 400;

/** Folder (or file at the top of src) -> what it may import besides itself. Everything else is forbidden. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  runtime: [],
  wire: ['core'],
  intake: ['core', 'wire', 'runtime'],
  storage: ['core', 'runtime'],
  transport: ['wire', 'core', 'runtime'],
  'transport/inbound': ['transport', 'wire', 'core', 'runtime'],
  'transport/outbound': ['transport', 'wire', 'core', 'runtime'],
  client: ['transport', 'transport/outbound', 'wire', 'core', 'runtime'],
  agent: [
    'transport',
    'transport/inbound',
    'transport/outbound',
    'intake',
    'wire',
    'core',
    'runtime',
    'client',
  ],
  server: [
    'transport',
    'transport/inbound',
    'transport/outbound',
    'storage',
    'intake',
    'wire',
    'core',
    'runtime',
    'client',
  ],
  // The composition root: it opens the store and compiles the deny-lists that it hands to the roles.
  cli: ['agent', 'server', 'client', 'storage', 'intake', 'core', 'runtime'],
  'main.ts': ['cli'],
};

/** Packages that carry native code or belong to one side only, and who may use them. */
const packagesOf: Readonly<Record<string, readonly string[]>> = {
  'uWebSockets.js': ['transport/inbound'],
  'node-unix-socket': ['transport/inbound'],
  ws: ['transport/outbound'],
  yargs: ['cli'],
  pino: ['runtime'],
  'prom-client': ['runtime'],
};

/** A folder by construct instead of by concept: its content belongs somewhere else. */
const forbiddenFolders = new Set([
  'utils',
  'util',
  'types',
  'interfaces',
  'helpers',
  'common',
  'misc',
  'lib',
]);

interface Import {
  readonly from: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
}

function filesUnder(folder: string): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...filesUnder(path));
    else found.push(path);
  }
  return found;
}

function importsOf(path: string): Import[] {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const from = relative(join(root, 'src'), path);
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
      const typeOnly = ts.isImportDeclaration(node) ? isTypeOnly(node.importClause) : node.isTypeOnly;
      found.push({ from, specifier: (node.moduleSpecifier as ts.StringLiteral).text, typeOnly });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument && ts.isStringLiteral(argument))
        found.push({ from, specifier: argument.text, typeOnly: false });
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      found.push({ from, specifier: (node.argument.literal as ts.StringLiteral).text, typeOnly: true });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.isTypeOnly) return true;
  const named = clause.namedBindings;
  return (
    clause.name === undefined &&
    named !== undefined &&
    ts.isNamedImports(named) &&
    named.elements.length > 0 &&
    named.elements.every((element) => element.isTypeOnly)
  );
}

/** The row of `mayImport` that a file of src belongs to. */
function rowOf(file: string): string | undefined {
  const [first = '', second] = file.split('/');
  const nested = `${first}/${second}`;
  return nested in mayImport ? nested : first in mayImport ? first : undefined;
}

function resolveImport(item: Import): string {
  return normalize(join(dirname(item.from), item.specifier)).replace(/\.js$/, '.ts');
}

/** Every cycle of length one or more that a depth-first walk finds, as `a.ts -> b.ts -> a.ts`. */
function cycles(edges: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const walk = (file: string): void => {
    const at = path.indexOf(file);
    if (at >= 0) {
      found.push([...path.slice(at), file].join(' -> '));
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const next of edges.get(file) ?? []) walk(next);
    path.pop();
    done.add(file);
  };
  for (const file of edges.keys()) walk(file);
  return found;
}

const sources = filesUnder(join(root, 'src'));
const modules = sources.filter((path) => path.endsWith('.ts'));
const imports = modules.flatMap(importsOf);

t.test('every file of src belongs to a folder of the import table', (t) => {
  const strays = sources
    .map((path) => relative(join(root, 'src'), path))
    .filter((file) => rowOf(file) === undefined);
  // The dashboard's source runs in the browser only and is bundled apart.
  t.same(
    strays.filter((file) => !file.startsWith('web/')),
    [],
  );
  t.ok(modules.length > 10, 'the walk finds the sources at all');
  t.end();
});

t.test('nobody imports what the table does not allow', (t) => {
  const broken: string[] = [];
  for (const item of imports) {
    const from = rowOf(item.from);
    if (from === undefined || !item.specifier.startsWith('.')) continue;
    const file = resolveImport(item);
    const to = file.startsWith('..') ? undefined : rowOf(file);
    if (to === undefined) broken.push(`${item.from} leaves src: ${item.specifier}`);
    else if (from !== to && !mayImport[from]!.includes(to))
      broken.push(`${item.from} (${from}) imports ${file} (${to})`);
  }
  t.same(broken, []);
  t.end();
});

t.test('the core imports no package and nothing of the system', (t) => {
  const outside = imports.filter((item) => item.from.startsWith('core/') && !item.specifier.startsWith('.'));
  t.same(
    outside.map((item) => `${item.from} imports ${item.specifier}`),
    [],
  );
  t.end();
});

t.test('native and one-sided packages stay where they belong', (t) => {
  const broken = imports.filter((item) => {
    const owners = packagesOf[item.specifier.split('/')[0]!];
    return owners !== undefined && !owners.includes(rowOf(item.from) ?? '');
  });
  t.same(
    broken.map((item) => `${item.from} imports ${item.specifier}`),
    [],
  );
  t.end();
});

t.test('relative imports name a file that exists, with its .js extension', (t) => {
  const broken = imports.filter(
    (item) => item.specifier.startsWith('.') && !existsSync(join(root, 'src', resolveImport(item))),
  );
  t.same(
    broken.map((item) => `${item.from} imports ${item.specifier}`),
    [],
  );
  t.end();
});

t.test('no cycles at run time', (t) => {
  const edges = new Map<string, string[]>();
  for (const item of imports) {
    // Types are erased: two files that only know each other's types do not depend on each other when they run.
    if (item.typeOnly || !item.specifier.startsWith('.')) continue;
    edges.set(item.from, [...(edges.get(item.from) ?? []), resolveImport(item)]);
  }
  t.same(cycles(edges), []);
  t.same(
    cycles(
      new Map([
        ['a', ['b']],
        ['b', ['c']],
        ['c', ['a']],
      ]),
    ),
    ['a -> b -> c -> a'],
    'the check can see one',
  );
  t.end();
});

t.test('folders are named by concept, files stay within their length', (t) => {
  const checked = ['src', 'test', 'build', 'scripts'].flatMap((folder) => filesUnder(join(root, folder)));
  const badFolders = checked.filter((path) =>
    relative(root, dirname(path))
      .split('/')
      .some((part) => forbiddenFolders.has(part)),
  );
  t.same(
    badFolders.map((path) => relative(root, path)),
    [],
  );
  const long = checked
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ file: relative(root, path), lines: readFileSync(path, 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > maxLines);
  t.same(long, []);
  t.end();
});

t.test('the error catalogue and docs/errors.md agree both ways', (t) => {
  const text = readFileSync(join(root, 'docs/errors.md'), 'utf8');
  const documented = new Map<string, string>();
  for (const [, code, rest] of text.matchAll(/^\| `([a-z_]+)` \| (.*) \|$/gm)) documented.set(code!, rest!);
  t.same([...documented.keys()].sort(), Object.keys(errorCatalogue).sort());
  for (const [code, row] of Object.entries(errorCatalogue)) {
    const cells = [String(row.status), row.retry ? 'yes' : 'no', row.meaning, row.remedy];
    t.equal(
      documented.get(code),
      cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | '),
      `${code} is documented as it is`,
    );
  }
  t.end();
});
