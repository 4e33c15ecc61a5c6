/** Posts bodies as a process of its own, see `saidBySender`: each of two connections sends the next body when its last one was answered. */
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { type Bodies, bodyOf } from './bodies.js';

export interface SenderOrder {
  readonly url: string;
  readonly bodies: Bodies;
}

const connections = 2;

function post(url: string, agent: Agent, body: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-length': body.length };
    const posted = request(url, { agent, method: 'POST', headers }, async (answer) => {
      const said = await text(answer);
      if (answer.statusCode === 200) resolve();
      else reject(new Error(`${answer.statusCode} ${said}`));
    });
    posted.on('error', reject);
    posted.end(body);
  });
}

if (import.meta.filename === process.argv[1]) {
  const { url, bodies } = JSON.parse(process.argv[2]!) as SenderOrder;
  const body = bodyOf(bodies, Date.now() / 1000);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  let left = bodies.bodies;
  const connection = async () => {
    while (left-- > 0) await post(`${url}${bodies.path}`, agent, body);
  };
  await Promise.all(Array.from({ length: connections }, connection));
  agent.destroy();
  console.log(JSON.stringify({ bodyBytes: body.length }));
}
