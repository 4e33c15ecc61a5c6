import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { AgentOptions } from '../../src/agent/agent.js';
import { type Certificate, selfSigned } from '../support/certificate.js';
import { programOf } from '../support/program.js';
import { agentOf, ask, post, until } from './agent-kit.js';
import { ingress } from './ingress.js';
import { realServer } from './real-server.js';
import { folderOf } from './spool/kit.js';

const event = JSON.stringify({ name: 'a', value: 1, client: 'c' });

/** An agent that trusts `certificates`: Node reads which ones when a process begins. @returns its URL */
async function trustingAgent(
  t: Test,
  certificates: readonly Certificate[],
  options: Partial<AgentOptions>,
): Promise<string> {
  const trusted = join(folderOf(t), 'trusted.pem');
  writeFileSync(trusted, certificates.map(({ cert }) => cert).join(''));
  const { file, execArgv } = programOf(join(import.meta.dirname, 'killable-agent.ts'));
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: trusted };
  const child = fork(file, [JSON.stringify(options)], { execArgv, env, silent: true });
  t.teardown(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  return line.toString().trim();
}

/** What an agent says of the connection to its only server. */
async function connection(url: string): Promise<{ readonly last_error: string | null }> {
  return (await ask(`${url}/status`, { headers: { accept: 'application/json' } })).json.servers[0];
}

t.test('an ingress that goes by names is asked for the one that was given', async (t) => {
  const server = await realServer(t);
  const copy = await realServer(t);
  const front = await ingress(t, { name: 'taba.test', to: server.url });
  const other = await ingress(t, { name: 'copy.test', to: copy.url });
  const { agent } = await agentOf(t, {
    servers: [`http://taba.test:${front.port}`],
    mirror: [`http://copy.test:${other.port}`],
    seams: { resolve: async () => ['127.0.0.1'] },
  });
  await post(`${agent.url}/events`, event);
  await until('delivery', () => server.counts.size > 0 && copy.counts.size > 0);
  t.match(front.asked, [{ host: `taba.test:${front.port}` }]);
  t.equal(agent.status().servers[0]?.address, `127.0.0.1:${front.port}`, 'people see the address');
});

t.test('over TLS the certificate is that of the name, not of its address', async (t) => {
  const server = await realServer(t);
  const copy = await realServer(t);
  const certificate = await selfSigned(folderOf(t), 'DNS:taba.test,DNS:copy.test');
  const front = await ingress(t, { name: 'taba.test', to: server.url, certificate });
  const other = await ingress(t, { name: 'copy.test', to: copy.url, certificate });
  const url = await trustingAgent(t, [certificate], {
    servers: [`https://taba.test:${front.port}`],
    mirror: [`https://copy.test:${other.port}`],
  });
  await post(`${url}/events`, event);
  await until('delivery', async () => {
    const { last_error } = await connection(url);
    if (last_error !== null) throw new Error(last_error);
    return server.counts.size > 0 && copy.counts.size > 0;
  });
  t.match(front.asked, [{ host: `taba.test:${front.port}`, servername: 'taba.test' }]);
  t.match(other.asked, [{ host: `copy.test:${other.port}`, servername: 'copy.test' }]);
});

t.test('over TLS to an address: its certificate has it, and no name is said', async (t) => {
  const server = await realServer(t);
  const certificate = await selfSigned(folderOf(t), 'IP:127.0.0.1');
  const front = await ingress(t, { name: '127.0.0.1', to: server.url, certificate });
  const url = await trustingAgent(t, [certificate], { servers: [`https://127.0.0.1:${front.port}`] });
  await post(`${url}/events`, event);
  await until('delivery', () => server.counts.size > 0);
  t.match(front.asked, [{ servername: false }]);
});

t.test(
  'a certificate of another name, or one that nobody vouches for, is refused with the reason',
  async (t) => {
    const server = await realServer(t);
    const folder = folderOf(t);
    const [known, unknown] = [
      await selfSigned(folder, 'DNS:other.test'),
      await selfSigned(folder, 'DNS:taba.test'),
    ];
    for (const [certificate, reason] of [
      [known, /Host: taba\.test\. is not in the cert's altnames: DNS:other\.test/],
      [unknown, /self-signed certificate/],
    ] as const) {
      const front = await ingress(t, { name: 'taba.test', to: server.url, certificate });
      const url = await trustingAgent(t, [known], { servers: [`https://taba.test:${front.port}`] });
      const said = await until('the refusal', async () => (await connection(url)).last_error ?? false);
      t.match(said, reason);
      t.equal(front.asked.length, 0, 'nothing was said to it');
    }
  },
);
