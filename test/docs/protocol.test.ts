import { readFile } from 'node:fs/promises';
import t, { type Test } from 'tap';
import { agentOf, ask } from '../agent/agent-kit.js';
import { serverOf } from '../system/kit.js';

const root = new URL('../../', import.meta.url);
const page = await readFile(new URL('docs/protocol.md', root), 'utf8');

/** The words of a command line, as bash takes them apart: '…', "…" and $'…' with \n in it. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/\$'([^']*)'|'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, escaped, single, double, bare]) => escaped?.replaceAll('\\n', '\n') ?? single ?? double ?? bare!,
  );
}

/** What curl does with the few flags that the page uses, so that the test needs no curl. */
async function curl(line: string, addresses: Readonly<Record<string, string>>): Promise<string> {
  const [program, ...words] = wordsOf(line);
  if (program !== 'curl') throw new Error(`not a curl command: ${line}`);
  const headers = new Headers();
  let method: string | undefined;
  let body: string | undefined;
  let url: string | undefined;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === '-d' || word === '--data-binary') body = words[++at];
    else if (word === '-X') method = words[++at];
    else if (word === '-H') {
      const [name = '', value = ''] = words[++at]!.split(/:\s*/, 2);
      headers.set(name, value);
    } else if (word.startsWith('http://') && url === undefined) url = word;
    else throw new Error(`${JSON.stringify(word)} in ${line}`);
  }
  if (url === undefined) throw new Error(`no address in ${line}`);
  const { origin, pathname, search } = new URL(url);
  const init = { method: method ?? (body === undefined ? 'GET' : 'POST'), headers };
  const response = await fetch(`${addresses[origin]}${pathname}${search}`, {
    ...init,
    ...(body !== undefined && { body }),
  });
  return response.text();
}

async function daemons(t: Test): Promise<Readonly<Record<string, string>>> {
  const server = await serverOf(t);
  const { agent } = await agentOf(t, { servers: [server.url] });
  return { 'http://127.0.0.1:8300': server.url, 'http://127.0.0.1:8279': agent.url };
}

t.test('every example of docs/protocol.md prints what stands below it', async (t) => {
  const addresses = await daemons(t);
  const examples = [...page.matchAll(/```sh\n([\s\S]*?)\n```\n\n```text\n([\s\S]*?)\n```/g)];
  t.equal(examples.length, page.split('```sh\n').length - 1, 'every example has its output');
  for (const [, commands = '', output] of examples) {
    let printed = '';
    for (const line of commands.split('\n')) printed += await curl(line, addresses);
    t.equal(printed, `${output}\n`, commands);
  }
});

t.test('docs/protocol.md names every route, and no other', async (t) => {
  const addresses = await daemons(t);
  const served = new Set<string>();
  for (const url of Object.values(addresses)) {
    const { json: document } = await ask(`${url}/openapi.json`);
    for (const path of Object.keys(document.paths)) served.add(path);
  }
  const named = new Set(
    [...page.matchAll(/`(?:POST |GET )?(\/[a-z0-9_/]+(?:\.json)?)`/g)].map(([, path]) => path!),
  );
  named.delete('/v2');
  t.same([...named].sort(), [...served].sort());
});
